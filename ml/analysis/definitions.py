"""Every threshold of the analysis in one place: names that the requirements use without defining them."""

from dataclasses import dataclass

__all__ = ["CONFIDENCE_THRESHOLD", "DEFAULT_THRESHOLDS", "DEFINITIONS_VERSION", "Thresholds"]

DEFINITIONS_VERSION = 2
"""Raised whenever a formula or a default below changes; stored with every result."""

CONFIDENCE_THRESHOLD = 0.75
"""A pattern is called confident from this score on."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bounds of the company characteristics. Shares and ratios are 0..1, durations seconds, growth per week.

    Call counts are per 14 days, minutes per 30 days: both are scaled from the company's own window.
    A name `*_above` or `*_below` excludes the bound itself.
    """

    transactional_calls_above: float = 100
    transactional_seconds_below: float = 180
    consultative_calls_below: float = 30
    consultative_seconds_above: float = 300
    extended_hours_ratio_above: float = 0.3
    low_volume_minutes_up_to: float = 500
    high_volume_minutes_above: float = 2000
    growth_per_week: float = 0.05
    growth_agreement: float = 0.7
    growth_min_days: int = 7
    returning_share_from: float = 0.6
    new_share_from: float = 0.6
    low_complexity_services_up_to: int = 3
    high_complexity_services_above: int = 10
    unique_distance_above: float = 0.35
    unique_min_calls: int = 100
    efficiency_booking_weight: float = 0.7
    efficiency_min_outcomes: int = 20


DEFAULT_THRESHOLDS = Thresholds()
