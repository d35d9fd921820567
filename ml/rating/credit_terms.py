"""What is agreed about credits: grants that recur, recharging by itself, and who pays for usage beyond them."""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Literal

from ml.rating.credits import BurnDown, Grant, amount_problems, refuse, utc, zone_problems

__all__ = ["AutoRecharge", "Every", "Mode", "Settlement", "recharge_due", "recurring_grants", "settle"]

Every = Literal["month", "week", "year"]
Mode = Literal["prepaid", "pay_as_you_go"]

_NAMES: dict[Every, str] = {"month": "%Y-%m", "week": "%G-W%V", "year": "%Y"}


def recurring_grants(first: Grant, every: Every, until: datetime, expires_after_one_period: bool) -> list[Grant]:
    """The first grant and its repetitions that take effect before `until`, with ids like `<id>:2026-11`.

    Weeks are named as of ISO 8601 (`2026-W45`), years by number. The day and the time on the clock are those of the
    first, in its time zone; a month that is too short grants on its last day. Each expires when the next one comes, or
    else as long after its start as the first does. Raises ValueError if `until` is naive or the first one is voided.
    """
    refuse("recurring_grants", zone_problems(until=until))
    if first.voided_at is not None:
        raise ValueError(f"grant {first.grant_id!r} is voided; void single grants of the series instead")
    grants: list[Grant] = []
    for index in count():
        at = _recurrence(first.effective_at, every, index)
        if utc(at) >= utc(until):
            break
        expires = None if first.expires_at is None else at + (first.expires_at - first.effective_at)
        if expires_after_one_period:
            expires = _recurrence(first.effective_at, every, index + 1)
        grant_id = f"{first.grant_id}:{at.strftime(_NAMES[every])}"
        grants.append(replace(first, grant_id=grant_id, effective_at=at, expires_at=expires))
    return grants


@dataclass(frozen=True)
class AutoRecharge:
    """Buy `amount` when the balance has come down to `threshold`, at most `max_per_month` times (None: any number)."""

    threshold: Decimal
    amount: Decimal
    max_per_month: int | None = None

    def __post_init__(self) -> None:
        never = [f"threshold {self.threshold} is never reached, as no balance is below 0"] if self.threshold < 0 else []
        refuse("auto recharge", amount_problems(self.amount) + never)


def recharge_due(rule: AutoRecharge, balance: Decimal, recharged_this_month: int) -> Decimal | None:
    """The amount of one purchase that is due now, or None; whoever books it asks again with the new balance."""
    spent = rule.max_per_month is not None and recharged_this_month >= rule.max_per_month
    return None if spent or balance > rule.threshold else rule.amount


@dataclass(frozen=True)
class Settlement:
    """What becomes of usage beyond credits: a bill for it, or no service."""

    billable_overage: Decimal
    refused_amount: Decimal


def settle(mode: Mode, burn: BurnDown) -> Settlement:
    """Pay as you go bills the overage of the run, prepaid refuses it."""
    return Settlement(burn.overage, Decimal(0)) if mode == "pay_as_you_go" else Settlement(Decimal(0), burn.overage)


def _recurrence(first: datetime, every: Every, index: int) -> datetime:
    if every == "week":
        return first + timedelta(weeks=index)
    months = 12 * first.year + first.month - 1 + index * (12 if every == "year" else 1)
    year, month = months // 12, months % 12 + 1
    return first.replace(year=year, month=month, day=min(first.day, monthrange(year, month)[1]))
