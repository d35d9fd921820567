"""One row per company: what kind of business its usage looks like."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.analysis.arrays import Floats, ratio, shares
from ml.analysis.chunks import usage_chunks
from ml.analysis.cube import UsageCube
from ml.analysis.definitions import DEFAULT_THRESHOLDS, DEFINITIONS_VERSION, Thresholds
from ml.analysis.efficiency import efficiency_score
from ml.analysis.trend import weekly_growth
from ml.analysis.weekly import weekday_means
from ml.analysis.windows import require_columns

__all__ = ["ACTIVITY_COLUMNS", "describe_companies", "pooled_profile", "profile_distance"]

ACTIVITY_COLUMNS = (
    "company_id", "unique_customers", "returning_customers", "distinct_services", "total_revenue",
)  # fmt: skip


def describe_companies(
    hourly: pd.DataFrame,
    windows: pd.DataFrame,
    activity: pd.DataFrame,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    peers: Floats | None = None,
) -> pd.DataFrame:
    """One row per company of `windows`, by the definitions in `definitions.Thresholds`:

    - `business_type`: the first rule that holds of high_volume_transactional, low_volume_consultative,
      extended_hours_service; otherwise standard_appointment_based
    - `volume_category`: low, medium or high by minutes per 30 days
    - `growth_trajectory`, `growth_per_week`, `growth_low`, `growth_high` (80 % interval): see `trend.weekly_growth`
    - `seasonality_factor`: busiest weekday's mean calls / mean over weekdays; NaN under 7 days or without calls
    - `customer_behaviour`: mostly_returning, mostly_new or mixed by returning / unique customers, else unknown
    - `service_complexity`: low, medium or high by the number of distinct services
    - `efficiency_score`: 0..100, NaN where too few bookings are known; see `efficiency.efficiency_score`
    - `has_unique_patterns`: see `profile_distance`; only with enough calls to tell
    - `calls_per_14_days`; `average_call_seconds` over *all* calls and `after_hours_ratio` (0..1), NaN without calls
    - `definitions_version`

    `peers` is the `pooled_profile` [24] of all companies; those of the frame stand for all where it is not given.
    Raises ValueError for missing columns or impossible values.
    """
    require_columns(activity, "activity", ACTIVITY_COLUMNS)
    parts = [
        (places, _describe(cube, activity, thresholds), cube.calls.sum(axis=1))
        for places, cube in usage_chunks(hourly, windows)
    ]
    order = np.argsort(np.concatenate([places for places, _, _ in parts]))
    described = pd.concat([frame for _, frame, _ in parts], ignore_index=True).iloc[order].reset_index(drop=True)
    profiles = np.concatenate([calls for _, _, calls in parts])[order]
    enough = profiles.sum(axis=1) >= thresholds.unique_min_calls
    distance = profile_distance(profiles, pooled_profile(profiles) if peers is None else peers)
    is_unique = enough & (distance > thresholds.unique_distance_above)
    return described.assign(has_unique_patterns=is_unique, definitions_version=DEFINITIONS_VERSION)


def _describe(cube: UsageCube, activity: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """What can be said of each company without the others."""
    calls, seconds = cube.calls.sum(axis=(1, 2)), cube.seconds.sum(axis=(1, 2))
    per_14_days, average = calls * 14 / cube.lengths, ratio(seconds, calls)
    after_hours = ratio(cube.after_hours.sum(axis=(1, 2)), calls)
    totals = cube.calls.sum(axis=2)
    growth = weekly_growth(totals, cube.lengths, thresholds)
    customers, returning, services = _activity(activity, cube)
    return pd.DataFrame(
        {
            "company_id": cube.company_ids,
            "business_type": _business_type(per_14_days, average, after_hours, thresholds),
            "volume_category": _volume_category(seconds / 60 * 30 / cube.lengths, thresholds),
            "growth_trajectory": growth.trajectory.astype(object),
            "growth_per_week": growth.per_week,
            "growth_low": growth.low,
            "growth_high": growth.high,
            "seasonality_factor": _seasonality_factor(totals, cube),
            "customer_behaviour": _customer_behaviour(ratio(returning, customers), thresholds),
            "service_complexity": _service_complexity(services, thresholds),
            "efficiency_score": efficiency_score(cube, thresholds),
            "calls_per_14_days": per_14_days,
            "average_call_seconds": average,
            "after_hours_ratio": after_hours,
        }
    )


def pooled_profile(calls: Floats) -> Floats:
    """Mean hourly profile [24] of the companies with `calls` [c, 24] by hour; zeros where none has any.

    Each company counts the same, so a big one does not make itself the norm.
    """
    profiles = shares(calls)
    active = ~np.isnan(profiles[:, 0])
    return profiles[active].mean(axis=0) if active.any() else np.zeros(24)


def profile_distance(calls: Floats, peers: Floats) -> Floats:
    """How far each company's profile of `calls` [c, 24] is from that of its `peers` [24]: [c], 0..1; NaN without calls.

    Total variation distance, half the sum of |p - q| over 24 hours: the share of the calls that would have to
    move to another hour.
    """
    distance: Floats = np.abs(shares(calls) - peers).sum(axis=1) / 2
    return distance


def _business_type(calls: Floats, average: Floats, after_hours: Floats, at: Thresholds) -> npt.NDArray[np.object_]:
    rules = [
        (calls > at.transactional_calls_above) & (average < at.transactional_seconds_below),
        (calls < at.consultative_calls_below) & (average > at.consultative_seconds_above),
        after_hours > at.extended_hours_ratio_above,
    ]
    names = ["high_volume_transactional", "low_volume_consultative", "extended_hours_service"]
    return np.select(rules, names, default="standard_appointment_based").astype(object)


def _volume_category(minutes: Floats, at: Thresholds) -> npt.NDArray[np.object_]:
    rules = [minutes <= at.low_volume_minutes_up_to, minutes > at.high_volume_minutes_above]
    return np.select(rules, ["low", "high"], default="medium").astype(object)


def _seasonality_factor(totals: Floats, cube: UsageCube) -> Floats:
    means = weekday_means(totals, cube.weekdays, cube.valid)
    return np.where(cube.lengths >= 7, ratio(means.max(axis=1), means.mean(axis=1)), np.nan)


def _customer_behaviour(returning_share: Floats, at: Thresholds) -> npt.NDArray[np.object_]:
    rules = [
        np.isnan(returning_share),
        returning_share >= at.returning_share_from,
        1 - returning_share >= at.new_share_from,
    ]
    return np.select(rules, ["unknown", "mostly_returning", "mostly_new"], default="mixed").astype(object)


def _service_complexity(services: Floats, at: Thresholds) -> npt.NDArray[np.object_]:
    rules = [services <= at.low_complexity_services_up_to, services > at.high_complexity_services_above]
    return np.select(rules, ["low", "high"], default="medium").astype(object)


def _activity(activity: pd.DataFrame, cube: UsageCube) -> tuple[Floats, Floats, Floats]:
    by_company = activity.set_index("company_id").reindex(cube.company_ids)
    columns = ("unique_customers", "returning_customers", "distinct_services")
    customers, returning, services = (by_company[column].fillna(0).to_numpy(dtype=np.float64) for column in columns)
    return customers, returning, services
