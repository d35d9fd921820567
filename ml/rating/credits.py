"""Which grant pays for which usage, and what is left: credits are money, so nothing may appear or get lost."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from functools import partial
from operator import itemgetter
from typing import Literal

from ml.rating.money import EXACT

__all__ = [
    "BurnDown",
    "Debit",
    "Grant",
    "burn_down",
]


_ZERO = Decimal(0)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Grant:
    """Credits that burn while effective_at <= t < expires_at (None: for ever), and not from voided_at on.

    A lower priority burns first. A grant may be voided before it takes effect. Raises ValueError for an amount that is
    not above 0, a naive datetime, or an expiry that is not after the effective time.
    """

    grant_id: str
    amount: Decimal
    priority: int
    kind: Literal["paid", "promotional"]
    effective_at: datetime
    expires_at: datetime | None = None
    voided_at: datetime | None = None

    def __post_init__(self) -> None:
        label = f"grant {self.grant_id!r}"
        times = {"effective_at": self.effective_at, "expires_at": self.expires_at, "voided_at": self.voided_at}
        refuse(label, amount_problems(self.amount) + zone_problems(**times))
        if utc(self.expires_at) <= utc(self.effective_at):
            raise ValueError(f"{label}: expires_at {self.expires_at} is not after effective_at {self.effective_at}")

    @property
    def lapse(self) -> tuple[datetime, Literal["expired", "voided"]]:
        """When (UTC) its rest is lost, and how: by what comes first, but not before it takes effect."""
        expires, voided = utc(self.expires_at), utc(self.voided_at)
        return (expires, "expired") if expires <= voided else (max(voided, utc(self.effective_at)), "voided")


@dataclass(frozen=True)
class Debit:
    """Usage of an instant, to be paid by credits; ValueError for an amount not above 0 or a naive datetime."""

    at: datetime
    amount: Decimal

    def __post_init__(self) -> None:
        refuse("debit", amount_problems(self.amount) + zone_problems(at=self.at))


@dataclass(frozen=True)
class BurnDown:
    """The state at `until` (UTC), before any usage of that instant, and what happened on the way there.

    By grant id, since the beginning: granted = balance + burned + expired + voided; all 0 until a grant takes effect.
    Of this run only: each debit in order of time with what credits did not cover, and the timeline, the total balance
    from each instant (UTC) on, which ends with that of `until`.
    """

    until: datetime
    granted: Mapping[str, Decimal]
    balance: Mapping[str, Decimal]
    burned: Mapping[str, Decimal]
    expired: Mapping[str, Decimal]
    voided: Mapping[str, Decimal]
    uncovered: tuple[tuple[Debit, Decimal], ...]
    timeline: tuple[tuple[datetime, Decimal], ...]

    @property
    def total_balance(self) -> Decimal:
        """What all grants have left at `until`."""
        return self.timeline[-1][1]

    @property
    def overage(self) -> Decimal:
        """The usage of this run that credits did not cover."""
        with localcontext(EXACT):
            return sum((amount for _, amount in self.uncovered), _ZERO)


class _Account:
    """The grants' balances while time passes; what is `burned` already is missing from a grant that opens."""

    def __init__(self, grant_ids: Iterable[str], burned: Mapping[str, Decimal]) -> None:
        self.granted, self.balance, self.expired, self.voided = (dict.fromkeys(grant_ids, _ZERO) for _ in range(4))
        self.burned = self.granted | dict(burned)
        self.queue: list[tuple[int, datetime, datetime, str]] = []
        self.total = _ZERO
        self.uncovered: list[tuple[Debit, Decimal]] = []

    def open(self, grant: Grant) -> None:
        """The grant takes effect."""
        rest = grant.amount - self.burned[grant.grant_id]
        self.granted[grant.grant_id], self.balance[grant.grant_id] = grant.amount, rest
        self.total += rest
        order = grant.priority, utc(grant.expires_at), utc(grant.effective_at), grant.grant_id
        heapq.heappush(self.queue, order)

    def lapse(self, grant: Grant) -> None:
        """The grant's rest is lost."""
        lost = self.expired if grant.lapse[1] == "expired" else self.voided
        lost[grant.grant_id], self.balance[grant.grant_id] = self.balance[grant.grant_id], _ZERO
        self.total -= lost[grant.grant_id]

    def burn(self, debit: Debit) -> None:
        """Usage takes from one grant after the other; a grant that is empty or has lapsed leaves the queue."""
        due = debit.amount
        while due and self.queue:
            grant_id = self.queue[0][-1]
            taken = min(due, self.balance[grant_id])
            due -= taken
            self.balance[grant_id] -= taken
            self.burned[grant_id] += taken
            self.total -= taken
            if not self.balance[grant_id]:
                heapq.heappop(self.queue)
        self.uncovered.append((debit, due))


def burn_down(
    grants: Sequence[Grant], debits: Iterable[Debit], until: datetime, after: BurnDown | None = None
) -> BurnDown:
    """Pay the debits before `until` with the grants: by priority, then soonest expiry, oldest, and grant id.

    At one instant grants take effect and lapse first, then usage burns in the order given. `after` is a state to go on
    from: with its grants, perhaps some more, and the debits since then, the balances are those of a single run.
    Takes O(n log n). Raises ValueError for a naive `until`, for a grant id that is there twice, for a debit or an
    `until` before that state, and for a grant of that state that is missing or smaller than what it burned.
    """
    refuse("burn_down", zone_problems(until=until))
    end, debits = utc(until), sorted(debits, key=lambda debit: utc(debit.at))
    refuse("burn_down", _run_problems(grants, debits, end, after))
    start, burned = (_BEFORE_ALL, {}) if after is None else (after.until, after.burned)
    account = _Account([grant.grant_id for grant in grants], burned)
    events: list[tuple[datetime, int, Callable[[], None]]] = []
    for grant in grants:
        events.append((utc(grant.effective_at), 0, partial(account.open, grant)))
        events.append((grant.lapse[0], 1, partial(account.lapse, grant)))
    events += ((utc(debit.at), 2, partial(account.burn, debit)) for debit in debits)
    timeline: dict[datetime, Decimal] = {}
    with localcontext(EXACT):
        for at, phase, happen in sorted(events, key=itemgetter(0, 1)):
            if (at, phase) < (end, 2):
                happen()
                timeline[max(at, start)] = account.total
    timeline[end] = account.total
    by_grant = account.granted, account.balance, account.burned, account.expired, account.voided
    return BurnDown(end, *by_grant, tuple(account.uncovered), tuple(timeline.items()))


def utc(at: datetime | None) -> datetime:
    """The instant in UTC (Python compares times of one zone by the clock on the wall); None is never."""
    return _NEVER if at is None else at.astimezone(UTC)


def refuse(what: str, problems: Iterable[str]) -> None:
    if found := "; ".join(problems):
        raise ValueError(f"{what}: {found}")


def amount_problems(amount: Decimal) -> list[str]:
    return [] if amount.is_finite() and amount > 0 else [f"amount {amount} is not above 0"]


def zone_problems(**times: datetime | None) -> list[str]:
    return [f"{name} {at} has no time zone" for name, at in times.items() if at is not None and at.utcoffset() is None]


def _run_problems(
    grants: Sequence[Grant], debits: Sequence[Debit], end: datetime, after: BurnDown | None
) -> Iterator[str]:
    twice = sorted(grant_id for grant_id, times in Counter(grant.grant_id for grant in grants).items() if times > 1)
    if twice:
        yield f"grants are there more than once: {', '.join(twice)}"
    if after is None:
        return
    if early := [str(at) for at in (end, *(debit.at for debit in debits[:1])) if at < after.until]:
        yield f"{' and '.join(early)} lie before {after.until}, the state to go on from"
    granted = {grant.grant_id: grant.amount for grant in grants if utc(grant.effective_at) <= end}
    for grant_id, burned in after.burned.items():
        if burned > granted.get(grant_id, _ZERO):
            yield f"{grant_id!r} burned {burned} before, but grants {granted.get(grant_id, _ZERO)}"
