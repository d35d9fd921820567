"""What no event may exceed, whoever its company is: amounts and durations, and the earliest time."""

from datetime import UTC, datetime
from decimal import Decimal

from integrations.events.contract import Refused, UsageData

__all__ = ["EARLIEST", "ONE", "check_amounts", "too_old"]

AMOUNT_LIMIT = Decimal(10) ** 14 - 1  # numeric(20, 6) holds 14 digits before the point, after rounding
SMALLEST_EXPONENT = -1000  # PostgreSQL refuses to read some that are smaller; nothing that is measured is
LONGEST_SECONDS = 2**53
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # before it lie clocks that were never set: 1970-01-01, 0001-01-01
ONE = UsageData().quantity


def too_old(time: datetime) -> Refused:
    """The refusal of an event from before `EARLIEST`."""
    return Refused("too_old", f"time {time.isoformat()} lies before {EARLIEST.date()}", "time")


def check_amounts(data: UsageData) -> None:
    """Refuse a quantity, a duration or a revenue that can't be counted.

    Raises:
        Refused: `negative_duration`, `negative_revenue` or `invalid_field`.
    """
    duration, revenue = data.duration_seconds, data.revenue
    if duration is not None and not 0 <= duration <= LONGEST_SECONDS:
        reason = "negative_duration" if duration < 0 else "invalid_field"
        raise Refused(reason, f"data.duration_seconds is {duration}", "data.duration_seconds")
    if data.quantity is not ONE:
        _check_amount("data.quantity", data.quantity)
    if revenue is not None:
        _check_amount("data.revenue", revenue)
        if revenue < 0:
            raise Refused("negative_revenue", f"data.revenue is {revenue}", "data.revenue")


def _check_amount(field: str, amount: Decimal) -> None:
    if amount.is_finite() and -AMOUNT_LIMIT < amount < AMOUNT_LIMIT and amount.adjusted() >= SMALLEST_EXPONENT:
        return
    raise Refused("invalid_field", f"{field} is {amount}, which is no amount", field)
