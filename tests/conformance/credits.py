"""Credits: what grants have left after usage, and what they did not cover."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ml.rating.credits import BurnDown, Debit, Grant, burn_down
from tests.conformance.reading import Unsupported, decimal, only

__all__ = ["KINDS"]

Values = Mapping[str, Any]
START = datetime(2025, 3, 1, tzinfo=UTC)
STEP = timedelta(hours=1)


def once(params: Values, usage: Values) -> Values:
    """One debit against all grants."""
    only("its usage", usage, {"grants", "usage"})
    return _values(usage["grants"], [usage["usage"]])


def timeline(params: Values, usage: Values) -> Values:
    """Debits one after the other; a grant may be voided after the first."""
    only("its usage", usage, {"grants", "usage_steps"})
    return _values(usage["grants"], usage["usage_steps"])


def _values(grants: Sequence[Values], steps: Sequence[Any]) -> Values:
    debits = [Debit(START + STEP * number, decimal(step)) for number, step in enumerate(steps, 1) if decimal(step)]
    burned: BurnDown = burn_down(
        [_grant(number, grant) for number, grant in enumerate(grants)], debits, START + STEP * (len(steps) + 1)
    )
    balances = [burned.balance[f"g{number:06}"] for number in range(len(grants))]
    return {"balances": balances, "overage": burned.overage}


def _grant(number: int, grant: Values) -> Grant:
    only("a grant", grant, {"amount", "priority", "expires_days", "voided_after", "effective_days"})
    expires, voided = grant.get("expires_days"), grant.get("voided_after")
    if voided not in (None, "first_usage"):
        raise Unsupported(f"a grant that is voided after {voided}")
    effective = START + timedelta(days=int(grant.get("effective_days") or 0))
    return Grant(
        grant_id=f"g{number:06}",
        amount=Decimal(str(grant["amount"])),
        priority=int(grant.get("priority") or 1),
        kind="paid",
        effective_at=effective,
        expires_at=None if expires is None else effective + timedelta(days=int(expires)),
        voided_at=START + STEP * 3 / 2 if voided else None,
    )


KINDS = {"credit_burndown": once, "credit_burndown_timeline": timeline}
