"""When the daily level changed for good: a few dates per company, all companies at once."""

from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.trend import masked_median

__all__ = ["CHANGE_MIN_DAYS", "CHANGE_RATIO", "MAX_CHANGES", "ChangePoints", "change_points"]

CHANGE_MIN_DAYS = 14
"""Days of a stretch that is tested: a week on each side of the change."""
CHANGE_RATIO = 1.2
"""How many times the lower level the higher one must be: in a long window far smaller changes are certain, too."""
MAX_CHANGES = 3
"""Changes told per company, those with the highest scores."""
CLIP = 3.0
"""Standard deviations beyond which a day counts as this far: one burst is no new level."""
POISSON_VARIANCE = 0.25
"""Variance of the square root of a Poisson count; no daily count is taken to be steadier than that."""
MAD_TO_SD = 1.4826
WEEKS = (2, 15 / 7, 3, 4, 6, 8, 13, 26, 52, 104, 520)
CRITICAL = (2.1, 2.2, 2.6, 2.85, 3.1, 3.25, 3.45, 3.6, 3.75, 3.85, 4.0)
"""Scores that 1 % of series without a change exceed, by the length in WEEKS; simulated for Poisson counts of 1 to
200 a day with a weekday rhythm, interpolated over the logarithm of the length."""


@dataclass(frozen=True, slots=True)
class ChangePoints:
    """Changes [n] by company `rows` and then `days`: the first day of the new level, as offset in the window.

    `before` and `after` are the levels in calls per day, from the change before to the next one. Each is the
    mean over weekdays, so that a part of a week favours none.
    """

    rows: Ints
    days: Ints
    before: Floats
    after: Floats


def change_points(totals: Floats, lengths: Ints) -> ChangePoints:
    """Changes of the level of `totals` [c, d], counts per day in windows of `lengths` [c] days.

    Binary segmentation (Scott and Knott 1974; Vostrikova 1981). A stretch is split where the step fits best, as
    long as its score exceeds CRITICAL and the levels differ by CHANGE_RATIO; then its halves are tested.

    The score of a split is that of a step beside weekday effects, on the scale of square roots, where Poisson
    noise is the same at all levels (Anscombe 1948): |T| / sd(T), with T the weighted sum of what the days before
    the split lie above the mean of their weekdays. The weight of a weekday is its level, as a change moves its
    root in proportion to it; the noise is what is left within the weekdays, so overdispersed usage needs a
    larger step. Serial correlation is not modelled: usage that drifts may be told as steps.
    """
    rows = np.arange(len(lengths))
    open_ones = _Stretches(rows, np.zeros_like(lengths), lengths).of(lengths >= CHANGE_MIN_DAYS)
    rounds = [(rows[:0], rows[:0], np.zeros(0))]
    while open_ones.rows.size and len(rounds) <= MAX_CHANGES:
        splits, scores = _best_splits(*_weeks_of(totals, open_ones))
        exceeds = scores > np.interp(np.log(open_ones.lengths / 7), np.log(WEEKS), CRITICAL)
        split, scores = open_ones.of(exceeds), scores[exceeds]
        left, right = split.cut(split.starts + splits[exceeds])
        before, after = _levels(totals, left), _levels(totals, right)
        is_large = np.maximum(before, after) >= CHANGE_RATIO * np.minimum(before, after)
        left, right = left.of(is_large), right.of(is_large)
        rounds.append((right.rows, right.starts, scores[is_large]))
        halves = left.and_of(right)
        open_ones = halves.of(halves.lengths >= CHANGE_MIN_DAYS)
    rows, days, scores = (np.concatenate(parts) for parts in zip(*rounds, strict=True))
    return _with_levels(totals, lengths, *_strongest(rows, days, scores))


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Half-open stretches [n] of days of the companies in `rows`."""

    rows: Ints
    starts: Ints
    ends: Ints

    @property
    def lengths(self) -> Ints:
        return self.ends - self.starts

    def of(self, chosen: Bools) -> "_Stretches":
        return _Stretches(self.rows[chosen], self.starts[chosen], self.ends[chosen])

    def cut(self, days: Ints) -> "tuple[_Stretches, _Stretches]":
        return _Stretches(self.rows, self.starts, days), _Stretches(self.rows, days, self.ends)

    def and_of(self, others: "_Stretches") -> "_Stretches":
        pairs = ((self.rows, others.rows), (self.starts, others.starts), (self.ends, others.ends))
        return _Stretches(*(np.concatenate(pair) for pair in pairs))


def _weeks_of(totals: Floats, stretches: _Stretches) -> tuple[Floats, Bools]:
    """Totals [n, w, 7] of each stretch from its first day on, and which of them are in it."""
    weeks = -(-int(stretches.lengths.max(initial=0)) // 7)
    days = stretches.starts[:, None] + np.arange(7 * weeks)
    inside = days < stretches.ends[:, None]
    values = np.where(inside, totals[stretches.rows[:, None], np.where(inside, days, 0)], 0)
    shape = (len(inside), weeks, 7)
    return values.reshape(shape), inside.reshape(shape)


def _best_splits(totals: Floats, inside: Bools) -> tuple[Ints, Floats]:
    """Days before the best split of each stretch [n], a week or more from both ends, and its score [n]."""
    count = inside.sum(axis=1)
    roots = np.sqrt(totals)
    deviations, is_open = _clipped_deviations(roots, inside)
    noise = ratio((deviations**2).sum(axis=(1, 2)), (np.maximum(count - 1, 0) * is_open).sum(axis=1), otherwise=0)
    weights = np.sqrt(ratio((roots**2).sum(axis=1), count, otherwise=0))
    # The variance of T as if drawn without replacement: weekday k adds s2 v2 a (n - a) / n, with a of its n days
    # before the split; as a sum over the days before it, each adds s2 v2 (n - 2 (a - 1) - 1) / n.
    per_day = ratio(np.maximum(noise, POISSON_VARIANCE)[:, None] * weights**2, count, otherwise=0)
    weeks = np.arange(totals.shape[1])[:, None]
    added = np.where(inside, (count[:, None] - 2 * weeks - 1) * per_day[:, None], 0).reshape(len(totals), -1)
    numerator = np.cumsum((deviations * weights[:, None]).reshape(len(totals), -1), axis=1)
    variance = np.cumsum(added, axis=1)
    before = np.arange(1, variance.shape[1] + 1)
    is_candidate = (before >= 7) & (before <= count.sum(axis=1)[:, None] - 7)
    squares = ratio(numerator**2, np.where(is_candidate, variance, 0), otherwise=0)
    return squares.argmax(axis=1) + 1, np.sqrt(squares.max(axis=1))


def _clipped_deviations(roots: Floats, inside: Bools) -> tuple[Floats, Bools]:
    """Deviations [n, w, 7] from the mean of the weekday, outliers clipped, and the weekdays with usage [n, 7]."""
    is_open = roots.max(axis=1) > 0
    middle = masked_median(roots.swapaxes(1, 2), inside.swapaxes(1, 2))
    deviations = np.where(inside, roots - np.nan_to_num(middle)[:, None], 0)
    counted = (inside & is_open[:, None]).reshape(len(roots), -1)
    spread = MAD_TO_SD * np.nan_to_num(masked_median(np.abs(deviations).reshape(len(roots), -1), counted))
    bound = CLIP * np.maximum(spread, np.sqrt(POISSON_VARIANCE))[:, None, None]
    clipped = np.clip(deviations, -bound, bound)
    mean = ratio(clipped.sum(axis=1), inside.sum(axis=1), otherwise=0)
    return np.where(inside, clipped - mean[:, None], 0), is_open


def _levels(totals: Floats, stretches: _Stretches) -> Floats:
    """Mean over the weekdays [n] of what each stretch, a week long or more, has of them."""
    values, inside = _weeks_of(totals, stretches)
    means = ratio(values.sum(axis=1), inside.sum(axis=1), otherwise=0)
    level: Floats = means.mean(axis=1)
    return level


def _strongest(rows: Ints, days: Ints, scores: Floats) -> tuple[Ints, Ints]:
    """The MAX_CHANGES changes of each company with the highest scores, by company and day."""
    order = np.lexsort((days, -scores, rows))
    sorted_rows = rows[order]
    rank = np.arange(len(order)) - np.searchsorted(sorted_rows, sorted_rows)
    kept = order[rank < MAX_CHANGES]
    kept = kept[np.lexsort((days[kept], rows[kept]))]
    return rows[kept], days[kept]


def _with_levels(totals: Floats, lengths: Ints, rows: Ints, days: Ints) -> ChangePoints:
    is_same = rows[1:] == rows[:-1]
    first, last = np.concatenate([[False], is_same]), np.concatenate([is_same, [False]])
    starts = np.where(first[: len(rows)], np.concatenate([[0], days[:-1]])[: len(rows)], 0)
    ends = np.where(last[: len(rows)], np.concatenate([days[1:], [0]])[: len(rows)], lengths[rows])
    before, after = _levels(totals, _Stretches(rows, starts, days)), _levels(totals, _Stretches(rows, days, ends))
    return ChangePoints(rows, days, before, after)
