"""The rows of the feed `kpis`: figures about the business that other systems know."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from psycopg import Connection

from integrations.events.contract import Refused
from integrations.events.feed_rows import Currency
from integrations.events.versions import append_version

__all__ = ["KPIS", "MONEY", "Kpi"]

MONEY = "currency"
KPIS = {
    "mrr": MONEY,
    "arr": MONEY,
    "cac": MONEY,
    "ltv": MONEY,
    "arpu": MONEY,
    "churn_rate": "ratio",
    "trial_to_paid": "ratio",
    "feature_adoption": "ratio",
    "usage_growth": "ratio",
    "csat": "score",
    "time_to_value": "day",
    "ticket_volume": "ticket",
    "onboarding_completion": "ratio",
    "upgrade_rate": "ratio",
    "downgrade_rate": "ratio",
    "payment_success": "ratio",
}
"""Every figure that is known, with its unit; one of money is in the currency that its row names."""

Month = Annotated[str, msgspec.Meta(pattern=r"^(19|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])\Z")]
SMALLEST, LIMIT = Decimal("0.000001"), Decimal(10) ** 14


class Kpi(msgspec.Struct, forbid_unknown_fields=True):
    """The value of a figure in a month, such as 2026-10; of money with its currency."""

    month: Month
    kpi: str
    value: Decimal
    currency: Currency | None = None

    def store(self, connection: Connection, load_id: int, received_at: datetime) -> bool:
        """Write the row; tells whether it was new."""
        row = {
            "month": date.fromisoformat(f"{self.month}-01"),
            "kpi": self.kpi,
            "unit": self._unit(),
            "value": self._exact_value(),
        }
        return append_version(connection, "kpis", ("month", "kpi", "unit"), row, load_id, received_at)

    def changes_from(self, connection: Connection) -> date | None:
        """No usage date: a figure describes no company."""
        return None

    def _unit(self) -> str:
        unit = KPIS.get(self.kpi)
        if unit is None:
            raise Refused("invalid_field", f"no KPI {self.kpi!r} is known; use one of {', '.join(KPIS)}", "kpi")
        if unit == MONEY and self.currency is None:
            raise Refused("missing_field", f"{self.kpi} is money; name its currency", "currency")
        if unit != MONEY and self.currency is not None:
            raise Refused("invalid_field", f"{self.kpi} is a {unit} and no money; leave out the currency", "currency")
        return self.currency or unit

    def _exact_value(self) -> Decimal:
        if not self.value.is_finite() or abs(self.value) >= LIMIT:
            raise Refused("invalid_field", f"value is {self.value}, which is no figure of a business", "value")
        return self.value.quantize(SMALLEST)
