"""Six kinds of company, each with its own rhythm, size and length of calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

__all__ = ["ARCHETYPES", "Archetype", "open_hours", "weekly_rates"]

Week = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class Archetype:
    """What all companies of one kind share.

    `calls_per_day` is (least, weight, most): the weight is scaled until the world has the wanted size, within the
    two bounds. Durations are lognormal in seconds. `after_hours_share` is the share of calls outside the business
    hours; `growth` is the daily log growth; `noise` the log deviation of a day; `size_spread` that of a company.
    `plans` names the plans such companies sit on, the ill-fitting one first.
    """

    key: str
    industry: str
    names: Mapping[str, str]
    business_hours: Week
    hourly: tuple[float, ...]
    weekdays: tuple[float, ...]
    calls_per_day: tuple[float, float, float]
    duration_median: float
    duration_sigma: float
    success_rate: float
    missed_rate: float
    after_hours_share: float
    growth: float
    noise: float
    size_spread: float
    most_branches: int
    services: tuple[tuple[str, float], ...]
    plans: tuple[str, ...]


def open_hours(archetype: Archetype) -> npt.NDArray[np.bool_]:
    """Which local hours are business hours: shape (7, 24), Monday first."""
    is_open = np.zeros((7, 24), dtype=np.bool_)
    for weekday, hours in enumerate(archetype.business_hours):
        if hours is not None:
            is_open[weekday, hours[0] : hours[1]] = True
    return is_open


def weekly_rates(archetype: Archetype) -> npt.NDArray[np.float64]:
    """Calls by weekday and local hour, shape (7, 24), for a company with one call per day on average (sum 7)."""
    shape = np.outer(archetype.weekdays, archetype.hourly)
    is_open = open_hours(archetype)
    inside, outside = shape * is_open, shape * ~is_open
    share = archetype.after_hours_share
    return np.asarray(7.0 * ((1 - share) * inside / inside.sum() + share * outside / outside.sum()))


def _peaks(*centres: float, width: float, floor: float) -> tuple[float, ...]:
    """An hourly profile with a bell at each centre (local hour) above a floor."""
    hours = np.arange(24) + 0.5
    bells = sum(np.exp(-0.5 * ((hours - centre) / width) ** 2) for centre in centres)
    return tuple((bells + floor).tolist())


def _week(opening: int, closing: int, days: str) -> Week:
    """The same hours on every weekday marked by `x` in `days` (Monday first)."""
    return tuple((opening, closing) if mark == "x" else None for mark in days)


ARCHETYPES: tuple[Archetype, ...] = (
    Archetype(
        key="medical_practice",
        industry="medical",
        names={"de": "Praxis", "en": "Clinic"},
        business_hours=(*_week(8, 18, "xx"), (8, 13), *_week(8, 18, "xx--")),
        hourly=_peaks(9, 15, width=1.8, floor=0.03),
        weekdays=(1.35, 1.1, 0.7, 1.1, 0.9, 0.2, 0.15),
        calls_per_day=(16, 3, 250),
        duration_median=105,
        duration_sigma=0.55,
        success_rate=0.68,
        missed_rate=0.05,
        after_hours_share=0.05,
        growth=0.0,
        noise=0.10,
        size_spread=0.25,
        most_branches=4,
        services=(("check-up", 65), ("vaccination", 30), ("consultation", 90)),
        plans=("per_minute", "volumen"),
    ),
    Archetype(
        key="call_centre",
        industry="hospitality",
        names={"de": "Buchungszentrale", "en": "Booking Center"},
        business_hours=_week(7, 22, "xxxxxxx"),
        hourly=_peaks(14.5, width=9, floor=0.6),
        weekdays=(1, 1, 1, 1, 1.05, 1, 0.95),
        calls_per_day=(20, 8, inf),
        duration_median=135,
        duration_sigma=0.5,
        success_rate=0.62,
        missed_rate=0.04,
        after_hours_share=0.10,
        growth=0.0,
        noise=0.05,
        size_spread=0.35,
        most_branches=3,
        services=(("room", 120), ("table", 25), ("event", 340)),
        plans=("per_appointment", "combined"),
    ),
    Archetype(
        key="consultant",
        industry="consulting",
        names={"de": "Beratung", "en": "Advisory"},
        business_hours=_week(9, 17, "xxxxx--"),
        hourly=_peaks(10.5, 14.5, width=1.7, floor=0.02),
        weekdays=(1, 1.1, 1.1, 1.1, 0.8, 0.1, 0.1),
        calls_per_day=(0.95, 0, 0.95),
        duration_median=720,
        duration_sigma=0.45,
        success_rate=0.45,
        missed_rate=0.05,
        after_hours_share=0.04,
        growth=0.0,
        noise=0.10,
        size_spread=0.08,
        most_branches=1,
        services=(("first meeting", 150), ("workshop", 900)),
        plans=("package", "volumen"),
    ),
    Archetype(
        key="salon",
        industry="beauty",
        names={"de": "Salon", "en": "Salon"},
        business_hours=_week(9, 19, "-xxxxx-"),
        hourly=_peaks(11, 18, width=2.2, floor=0.05),
        weekdays=(0.4, 0.9, 1, 1.2, 1.5, 1.4, 0.3),
        calls_per_day=(5, 1.5, 90),
        duration_median=190,
        duration_sigma=0.5,
        success_rate=0.74,
        missed_rate=0.06,
        after_hours_share=0.22,
        growth=0.0,
        noise=0.15,
        size_spread=0.25,
        most_branches=2,
        services=(("cut", 38), ("colour", 85), ("manicure", 32)),
        plans=("per_minute", "volumen"),
    ),
    Archetype(
        key="emergency_service",
        industry="emergency",
        names={"de": "Notdienst", "en": "Emergency Service"},
        business_hours=_week(8, 17, "xxxxx--"),
        hourly=_peaks(2, 20, width=3.5, floor=0.5),
        weekdays=(0.9, 0.9, 0.9, 0.9, 1.1, 1.4, 1.3),
        calls_per_day=(5, 1.5, 130),
        duration_median=230,
        duration_sigma=0.6,
        success_rate=0.55,
        missed_rate=0.03,
        after_hours_share=0.62,
        growth=0.0,
        noise=0.20,
        size_spread=0.25,
        most_branches=2,
        services=(("call-out", 180), ("advice", 40)),
        plans=("combined", "flatrate"),
    ),
    Archetype(
        key="startup",
        industry="software",
        names={"de": "Software", "en": "Startup"},
        business_hours=_week(9, 18, "xxxxx--"),
        hourly=_peaks(11, 16, width=2.5, floor=0.05),
        weekdays=(1.1, 1.2, 1.2, 1.1, 0.9, 0.4, 0.3),
        calls_per_day=(6, 1, 150),
        duration_median=250,
        duration_sigma=0.6,
        success_rate=0.5,
        missed_rate=0.07,
        after_hours_share=0.15,
        growth=0.03,
        noise=0.15,
        size_spread=0.3,
        most_branches=1,
        services=(("demo", 0), ("onboarding", 250), ("support", 75)),
        plans=("package", "volumen"),
    ),
)
