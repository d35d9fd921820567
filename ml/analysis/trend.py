"""Robust growth of daily totals, free of the weekday rhythm where there is enough history."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.definitions import DEFAULT_THRESHOLDS, Thresholds

__all__ = ["TREND_DAYS", "Growth", "Slope", "masked_median", "relative_slope", "weekly_growth"]

TWO_WEEKS = 14
TREND_DAYS = 91
"""Days that a trend looks back at most: what was before does not say where usage is going, and pairs of days
grow with the square of their number."""
NORMAL_80 = 1.2815515655446004
"""The standard normal quantile of 0.9: 80 % lie within it on both sides."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Change per day as a share of the level [c], the bounds [c] of its 80 % interval, and how far the pairs of days
    agree [c], 0..1."""

    per_day: Floats
    low: Floats
    high: Floats
    agreement: Floats


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth per week as a share of the level [c], its 80 % interval [c], up, down or stable [c], and the same growth
    in units per day [c]; see `weekly_growth`."""

    per_week: Floats
    low: Floats
    high: Floats
    trajectory: npt.NDArray[np.str_]
    slope_per_day: Floats


def masked_median(values: Floats, mask: Bools) -> Floats:
    """Median over the last axis of `values` [..., n] of the cells where `mask` holds; NaN where none does."""
    count = mask.sum(axis=-1)
    if not values.shape[-1]:
        return np.full(count.shape, np.nan)
    ordered = np.sort(np.where(mask, values, np.inf), axis=-1)
    low = _pick(ordered, np.maximum(count - 1, 0) // 2)
    high = _pick(ordered, np.minimum(count // 2, values.shape[-1] - 1))
    return np.where(count > 0, np.where(low == high, low, (low + high) / 2), np.nan)


def relative_slope(totals: Floats, lengths: Ints) -> Slope:
    """How `totals` [c, d] change over the last TREND_DAYS days of windows of `lengths` [c] days.

    Theil-Sen: the median slope over pairs of days (Sen 1968). From 14 days on only pairs of the same weekday
    count, as in the seasonal estimator of Hirsch, Slack and Smith (1982), so a closed Sunday is no decline; each
    is divided by the mean of its weekday, so a busy Friday and a quiet Saturday that grow alike say the same.
    Two days without usage (both closed) say nothing and make no pair. The interval is Sen's, from Kendall's
    variance, summed over weekdays (Gilbert 1987, section 17.3.2); it takes days to be independent.
    Agreement = |rising - falling| / (rising + falling) pairs: 1 when all point one way, 0 when none moves.
    NaN slope and bounds where there is no pair.
    """
    found = np.full((4, len(lengths)), np.nan)
    long = lengths >= TWO_WEEKS
    for chosen, period in ((~long, 1), (long, 7)):
        if chosen.any():
            found[:, chosen] = _slope_over(*_last_days(totals[chosen], lengths[chosen]), period)
    return Slope(*found)


def weekly_growth(totals: Floats, lengths: Ints, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Growth:
    """Growth per week of `totals` [c, d] over the last TREND_DAYS days of windows of `lengths` [c] days.

    Growth = 7 x relative slope, the bounds likewise; NaN under `growth_min_days` days or without usage. It is
    called up or down when it is beyond +-`growth_per_week` and the pairs agree by `growth_agreement`: a rule
    that leaves pure noise at stable. `slope_per_day` = relative slope x mean total of those days.
    """
    slope = relative_slope(totals, lengths)
    recent, days = _last_days(totals, lengths)
    weeks = np.where(lengths >= thresholds.growth_min_days, 7, np.nan)
    per_week, low, high = (weeks * bound for bound in (slope.per_day, slope.low, slope.high))
    clear = slope.agreement >= thresholds.growth_agreement
    up, down = clear & (per_week > thresholds.growth_per_week), clear & (per_week < -thresholds.growth_per_week)
    trajectory = np.select([up, down], ["up", "down"], default="stable")
    return Growth(per_week, low, high, trajectory, slope.per_day * recent.sum(axis=1) / days)


def _last_days(totals: Floats, lengths: Ints) -> tuple[Floats, Ints]:
    """The last TREND_DAYS days of each window [c, up to TREND_DAYS] and how many they are [c]."""
    longest = int(lengths.max(initial=0))
    if longest <= TREND_DAYS:
        return totals[:, :longest], lengths
    kept = np.minimum(lengths, TREND_DAYS)
    days = (lengths - kept)[:, None] + np.arange(TREND_DAYS)
    inside = days < lengths[:, None]
    return np.where(inside, np.take_along_axis(totals, np.where(inside, days, 0), axis=1), 0), kept


def _slope_over(totals: Floats, lengths: Ints, period: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Slope, its bounds and the agreement over the pairs of days that lie a multiple of `period` apart."""
    first, second = np.triu_indices(totals.shape[1], k=1)
    keep = (second - first) % period == 0
    first, second = first[keep], second[keep]
    known = (second < lengths[:, None]) & ((totals[:, first] > 0) | (totals[:, second] > 0))
    totals = totals * _inverse_levels(totals, lengths, period)
    slopes = (totals[:, second] - totals[:, first]) / (second - first)
    rising, falling = ((slopes > 0) & known).sum(axis=1), ((slopes < 0) & known).sum(axis=1)
    agreement = ratio(np.abs(rising - falling), rising + falling, otherwise=0)
    pairs = known.sum(axis=1)
    if not slopes.shape[1]:
        unknown = np.full(len(lengths), np.nan)
        return unknown, unknown, unknown, agreement
    ordered = np.sort(np.where(known, slopes, np.inf), axis=1)
    reach = NORMAL_80 * np.sqrt(_kendall_variance(totals, lengths, period))
    middle, low, high = (
        np.where(pairs > 0, _between(ordered, at, pairs), np.nan)
        for at in ((pairs - 1) / 2, (pairs - reach) / 2 - 1, (pairs + reach) / 2)
    )
    return middle, low, high, agreement


def _inverse_levels(totals: Floats, lengths: Ints, period: int) -> Floats:
    """1 / mean of the days [c, d] at the same place of the period; 0 where they have no usage."""
    inverse = np.zeros_like(totals)
    for place in range(min(period, totals.shape[1])):
        inverse[:, place::period] = ratio(
            _days_at(place, lengths, period), totals[:, place::period].sum(axis=1), otherwise=0
        )[:, None]
    return inverse


def _days_at(place: int, lengths: Ints, period: int) -> Ints:
    return np.maximum(-(-(lengths - place) // period), 0)


def _kendall_variance(totals: Floats, lengths: Ints, period: int) -> Floats:
    """Variance [c] of rising less falling pairs without a trend: n (n - 1) (2 n + 5) / 18, summed over the places
    of the period that have usage, n being their days (Kendall 1975)."""
    variance = np.zeros(len(lengths))
    for place in range(min(period, totals.shape[1])):
        days = _days_at(place, lengths, period)
        variance += np.where((totals[:, place::period] > 0).any(axis=1), days * (days - 1) * (2 * days + 5) / 18, 0)
    return variance


def _between(ordered: Floats, at: Floats, count: Ints) -> Floats:
    """The values of `ordered` [c, n] at the fractional places `at` [c], within the first `count` [c] of them."""
    at = np.clip(at, 0, np.maximum(count - 1, 0))
    low, high = (_pick(ordered, edge.astype(np.int64)) for edge in (np.floor(at), np.ceil(at)))
    return np.where(low == high, low, low + (np.where(low == high, 0, high) - np.where(low == high, 0, low)) * (at % 1))


def _pick(ordered: Floats, places: Ints) -> Floats:
    return np.take_along_axis(ordered, places[..., None], axis=-1)[..., 0]
