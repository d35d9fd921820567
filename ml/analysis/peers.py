"""What is usual among companies of a kind, told so that nobody learns about one of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ml.analysis.arrays import Bools, Floats, ratio
from ml.analysis.windows import read_windows, require_columns

__all__ = ["ALL", "BENCHMARK_COLUMNS", "PEER_MEASURES", "benchmark_peers", "peer_measures"]

PEER_MINIMUM = 5
"""Least companies of a published group, and of what is left when published groups are taken from each other."""
PEER_DAYS = 14
"""Whole days of usage that a company must have to be somebody's peer."""
DOMINANCE_SHARE = 0.1
"""p of the p% rule: the second largest company must not be able to estimate the largest within this share of it."""
DIGITS = 2
"""Significant digits of a published figure."""
ALL = "all"
"""Industry or volume category of a total."""
PEER_MEASURES = (
    "calls_per_day", "average_call_seconds", "after_hours_ratio", "conversion_rate", "growth_per_week",
)  # fmt: skip
BENCHMARK_COLUMNS = ("industry", "volume_category", "measure", "count_companies", "p25", "median", "p75")
QUARTILES = (0.25, 0.5, 0.75)


def peer_measures(hourly: pd.DataFrame, windows: pd.DataFrame, characteristics: pd.DataFrame) -> pd.DataFrame:
    """One row per company that was used and has `PEER_DAYS` whole days: company_id, volume_category, the measures.

    `characteristics` as from `describe_companies` on the same frames. `calls_per_day` is a mean over all days of the
    window, `conversion_rate` (0..1) successful bookings / calls; the others are the company's characteristics.
    """
    require_columns(hourly, "hourly", ("company_id", "total_calls", "successful_bookings"))
    frame = read_windows(windows)
    whole = frame.company_ids[frame.lengths >= PEER_DAYS]
    chosen = characteristics["company_id"].isin(whole) & (characteristics["calls_per_14_days"] > 0)
    known = characteristics[chosen]
    rows, _, inside = frame.locate(hourly["company_id"], hourly["usage_date"])
    calls, successful = (
        np.bincount(rows[inside], weights=hourly[name].to_numpy(dtype=float)[inside], minlength=len(frame.company_ids))
        for name in ("total_calls", "successful_bookings")
    )
    conversion = pd.Series(ratio(successful, calls), index=frame.company_ids)
    return known[["company_id", "volume_category"]].assign(
        calls_per_day=known["calls_per_14_days"] / 14,
        average_call_seconds=known["average_call_seconds"],
        after_hours_ratio=known["after_hours_ratio"],
        conversion_rate=known["company_id"].map(conversion),
        growth_per_week=known["growth_per_week"],
    )


def benchmark_peers(companies: pd.DataFrame) -> pd.DataFrame:
    """Quartiles (`BENCHMARK_COLUMNS`) of each measure among all companies, by industry, and by industry and volume.

    `companies`: company_id, industry, volume_category and `PEER_MEASURES`, one row each; a company without a measure
    (NaN) is in no group of it. Quartiles interpolate linearly and are rounded to two significant digits.

    A group is *safe* from `PEER_MINIMUM` companies on, when the calls of all but its two largest are at least
    `DOMINANCE_SHARE` of the largest's: the p% rule (Hundepool et al., Statistical Disclosure Control, 2012, ch. 4).
    Of the parts of a published group, the smallest are withheld until what the published ones leave of it is safe
    or nothing (complementary suppression); a withheld industry has no published part. Unions of safe groups are
    safe, so no total minus any published parts of it leaves fewer than five companies.

    Protection holds within one call. Publish another one only of days that share none with this one, since nearly
    the same companies on nearly the same days could be told apart. Raises ValueError for missing columns, a company
    that comes twice, or one whose industry or volume is called "all".
    """
    require_columns(companies, "companies", ("company_id", "industry", "volume_category", *PEER_MEASURES))
    if companies["company_id"].duplicated().any():
        raise ValueError("companies repeats a company; give one row each.")
    if (companies[["industry", "volume_category"]] == ALL).any(axis=None):
        raise ValueError('companies has an industry or volume called "all", which is the name of the total.')
    rows = [row for measure in PEER_MEASURES for row in _benchmark(companies, measure)]
    return pd.DataFrame(rows, columns=list(BENCHMARK_COLUMNS))


def _benchmark(companies: pd.DataFrame, measure: str) -> list[tuple[str, str, str, int, float, float, float]]:
    known = companies[companies[measure].notna()]
    values = known[measure].to_numpy(dtype=np.float64)
    rows = []
    for industry, volume, members in _published_groups(known):
        low, middle, high = _rounded(np.quantile(values[members], QUARTILES)).tolist()
        rows.append((industry, volume, measure, int(members.sum()), low, middle, high))
    return rows


def _published_groups(companies: pd.DataFrame) -> list[tuple[str, str, Bools]]:
    """(industry, volume, mask over the rows) of every group that may be published, totals first."""
    industry = companies["industry"].to_numpy(dtype=object)
    volume = companies["volume_category"].to_numpy(dtype=object)
    weight = companies["calls_per_day"].to_numpy(dtype=np.float64)
    everyone = np.ones(len(companies), dtype=bool)
    if not _is_safe(weight):
        return []
    groups = [(ALL, ALL, everyone)]
    names = sorted(set(industry.tolist()))
    for position in _published_parts(everyone, [industry == name for name in names], weight):
        name = names[position]
        members = industry == name
        groups.append((name, ALL, members))
        volumes = sorted(set(volume[members].tolist()))
        cells = [members & (volume == category) for category in volumes]
        groups += [(name, volumes[cell], cells[cell]) for cell in _published_parts(members, cells, weight)]
    return groups


def _published_parts(whole: Bools, parts: Sequence[Bools], weight: Floats) -> list[int]:
    """Positions of the parts of a published whole that may be published beside it."""
    safe = [position for position, part in enumerate(parts) if _is_safe(weight[part])]
    waiting = sorted(safe, key=lambda position: int(parts[position].sum()))
    while waiting:
        left = whole & ~np.logical_or.reduce([parts[position] for position in waiting])
        if not left.any() or _is_safe(weight[left]):
            break
        waiting = waiting[1:]
    return sorted(waiting)


def _is_safe(weight: Floats) -> bool:
    if len(weight) < PEER_MINIMUM:
        return False
    ordered = np.sort(weight)
    return bool(ordered[:-2].sum() >= DOMINANCE_SHARE * ordered[-1])


def _rounded(values: Floats) -> Floats:
    """To two significant digits; zero stays zero."""
    size = np.floor(np.log10(np.where(values == 0, 1, np.abs(values))))
    scale = 10.0 ** (DIGITS - 1 - size)
    return np.round(values * scale) / scale
