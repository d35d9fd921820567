"""The calls of one company: when they happen, how long they last, what they lead to."""

import numpy as np

from ml.synthetic.archetypes import Archetype, open_hours, weekly_rates
from ml.synthetic.companies import Company
from ml.synthetic.events import CALL, CHANNELS, FAILURE, MISSED, SUCCESS, Events, Ints, Window, blank_events, weekday_of
from ml.synthetic.volumes import daily_levels
from ml.synthetic.zones import DAY, HOUR, to_utc

__all__ = ["simulate_calls"]


def simulate_calls(company: Company, volume: float, window: Window, rng: np.random.Generator) -> Events:
    """Calls (dtype EVENT) in the order of time; `volume` is the calls per day at level 1.

    The daily profile follows local time; nothing happens before the activation.
    """
    kind = company.archetype
    utc = _call_times(company, volume, window, rng)
    calls = blank_events(company, utc, CALL)
    count = len(calls)
    calls["number"] = np.arange(1, count + 1)
    calls["outcome"] = _outcomes(kind, utc + calls["offset"], rng)
    calls["duration"] = _durations(kind, calls["outcome"], rng)
    calls["detail"] = rng.choice(len(CHANNELS), count, p=[0.45, 0.2, 0.25, 0.1])
    calls["branch"] = (rng.random(count) ** 1.6 * len(company.branches)).astype(np.uint8)
    calls["customer"] = 1 + (rng.random(count) ** 2.5 * max(8.0, 0.4 * count)).astype(np.int32)
    return calls


def _call_times(company: Company, volume: float, window: Window, rng: np.random.Generator) -> Ints:
    """UTC seconds of the calls, ascending: a Poisson number in each local hour from the activation on."""
    kind, zone = company.archetype, company.market.time_zone
    noise = np.exp(rng.normal(0, kind.noise, window.days) - kind.noise**2 / 2)
    level = volume * noise * daily_levels(company, window.days, window.start)
    counts = rng.poisson(level[:, None] * weekly_rates(kind)[window.weekdays]).ravel()
    hours = np.repeat(np.arange(counts.size), counts)
    local = window.first_second + hours * HOUR + rng.integers(0, HOUR, hours.size)
    utc = np.sort(to_utc(local, zone, rng.random(local.size) < 0.5))
    earliest = max(window.first_second, int(company.activated_at.timestamp()) + 1)
    return np.asarray(utc[utc >= earliest])


def _outcomes(kind: Archetype, local: Ints, rng: np.random.Generator) -> Ints:
    """Outside the business hours more calls are missed and fewer succeed."""
    is_open = open_hours(kind)[weekday_of(local), local % DAY // HOUR]
    missed = kind.missed_rate * np.where(is_open, 1.0, 2.0)
    success = kind.success_rate * np.where(is_open, 1.0, 0.85)
    draw = rng.random(local.size)
    return np.where(draw < success, SUCCESS, np.where(draw < 1 - missed, FAILURE, MISSED))


def _durations(kind: Archetype, outcomes: Ints, rng: np.random.Generator) -> Ints:
    """Seconds: lognormal, shorter when the call fails, 0 when it is missed."""
    seconds = np.exp(rng.normal(np.log(kind.duration_median), kind.duration_sigma, outcomes.size))
    seconds *= np.where(outcomes == FAILURE, 0.8, 1.0)
    return np.where(outcomes == MISSED, 0, np.clip(seconds, 5, 7200)).astype(np.int64)
