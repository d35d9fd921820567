"""How many calls a company makes per day: growth, ramp after activation, and the size that fills the world."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from ml.synthetic.archetypes import weekly_rates
from ml.synthetic.companies import Company

__all__ = ["daily_levels", "daily_volumes"]

_RAMP_DAYS = 3.0
_RAMP_START = 0.4

Floats = npt.NDArray[np.float64]


def daily_levels(company: Company, days: int, start: date) -> Floats:
    """Level of each local day, shape (days,): 0 before the activation, a ramp, then growth around 1."""
    age = np.arange(days) - (company.activated_at.date() - start).days
    ramp = 1 - (1 - _RAMP_START) * np.exp(-np.maximum(age, 0) / _RAMP_DAYS)
    growth = np.exp(company.archetype.growth * (np.arange(days) - days / 2))
    return np.where(age >= 0, ramp * growth, 0.0)


def daily_volumes(companies: Sequence[Company], days: int, start: date, events: int, seed: int) -> Floats:
    """Calls per day at level 1 for each company, so that calls and appointments add up to about `events`.

    The archetypes' bounds win over `events`: a very small world is larger than asked for, and one without a call
    centre (fewer than two companies) may be smaller.
    """
    low, weight, high = np.array([company.archetype.calls_per_day for company in companies]).T
    sizes = np.array([_size(company, seed) for company in companies])
    exposure = sizes * np.array([_expected_events(company, days, start) for company in companies])
    small, large = 0.0, float(events)
    for _ in range(80):
        middle = (small + large) / 2
        too_few = (np.clip(weight * middle, low, high) * exposure).sum() < events
        small, large = (middle, large) if too_few else (small, middle)
    return np.asarray(np.clip(weight * large, low, high) * sizes)


def _size(company: Company, seed: int) -> float:
    rng = np.random.default_rng([seed, 2, company.number])
    return float(np.clip(np.exp(rng.normal(0, company.archetype.size_spread)), 0.7, 1.5))


def _expected_events(company: Company, days: int, start: date) -> float:
    """Events of a company with one call per day on average; a successful call brings one appointment."""
    by_weekday = weekly_rates(company.archetype).sum(axis=1)
    weekdays = [(start + timedelta(days=day)).weekday() for day in range(days)]
    calls = (daily_levels(company, days, start) * by_weekday[weekdays]).sum()
    return float(calls * (1 + company.archetype.success_rate))
