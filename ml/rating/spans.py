"""Which terms hold on which dates of a usage period, and what part of it that is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from ml.rating.contract import Contract, PeriodTerms, period_terms
from ml.rating.proration import share_of_period

__all__ = ["Agreement", "Span", "Version", "agreements_of", "next_period", "spans_of"]


@dataclass(frozen=True, slots=True)
class Version:
    """What was agreed from a local date on; None ends it: that date is the last one of what held before."""

    first_date: date
    contract: Contract | None


@dataclass(frozen=True, slots=True)
class Span:
    """The dates [start, end) of a usage period on which a contract holds, and the share of the period they are."""

    start: date
    end: date
    contract: Contract
    share: Fraction


@dataclass(frozen=True, slots=True)
class Agreement:
    """All spans of a usage period under the same terms: together they have its allowances in proportion."""

    spans: tuple[Span, ...]

    @property
    def contract(self) -> Contract:
        """The contract as it was at last; add-ons and the billing interval may differ between the spans."""
        return self.spans[-1].contract

    @property
    def last_date(self) -> date:
        """The last date on which it holds."""
        return self.spans[-1].end - timedelta(days=1)

    def terms(self, usage_period: date) -> PeriodTerms:
        """The terms of the part of the period for which it holds."""
        share = sum((span.share for span in self.spans), Fraction(0))
        return period_terms(self.contract, usage_period, min(share, Fraction(1)))

    def holds(self, day: date) -> bool:
        """Whether it holds on a date."""
        return any(span.start <= day < span.end for span in self.spans)

    def dates(self) -> Iterator[date]:
        """Each date on which it holds."""
        for span in self.spans:
            yield from (span.start + timedelta(days=number) for number in range((span.end - span.start).days))


def agreements_of(spans: Iterable[Span]) -> dict[str, Agreement]:
    """The spans by the key of their terms, in the order in which those first hold."""
    found: dict[str, list[Span]] = {}
    for span in spans:
        found.setdefault(span.contract.terms_key, []).append(span)
    return {key: Agreement(tuple(own)) for key, own in found.items()}


def spans_of(versions: Iterable[Version], usage_period: date) -> list[Span]:
    """The spans of a usage period (named by its first day), in order; none where nothing was agreed.

    The day of a change belongs to the new contract, that of a cancellation to the old one. Of two versions with one
    date the later in the list holds.
    """
    period_end = next_period(usage_period)
    held = list({version.first_date: version for version in sorted(versions, key=lambda v: v.first_date)}.values())
    spans: list[Span] = []
    for version, following in zip(held, [*held[1:], None], strict=True):
        if version.contract is None:
            continue
        start = max(version.first_date, usage_period)
        end = min(_end_of(following, period_end), period_end)
        if start < end:
            convention = version.contract.plan.proration
            share = (
                Fraction(1)
                if convention == "none"
                else share_of_period(convention, start, end, usage_period, period_end)
            )
            spans.append(Span(start, end, version.contract, share))
    return spans


def next_period(usage_period: date) -> date:
    """The first day of the month after."""
    return (usage_period.replace(day=28) + timedelta(days=4)).replace(day=1)


def _end_of(following: Version | None, open_end: date) -> date:
    if following is None:
        return open_end
    return following.first_date + timedelta(days=following.contract is None)
