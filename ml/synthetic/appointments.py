"""The appointments that successful calls lead to."""

import numpy as np

from ml.synthetic.companies import Company
from ml.synthetic.events import (
    APPOINTMENT,
    APPOINTMENT_OUTCOMES,
    COMPLETED,
    SUCCESS,
    Events,
    Ints,
    Window,
    blank_events,
    weekday_of,
)
from ml.synthetic.zones import DAY, HOUR, offsets_at, to_utc

__all__ = ["simulate_appointments"]


def simulate_appointments(company: Company, calls: Events, window: Window, rng: np.random.Generator) -> Events:
    """One appointment per successful call, in the order of time, unless it lies beyond the end of the world."""
    booked = calls[calls["outcome"] == SUCCESS]
    zone, services = company.market.time_zone, company.archetype.services
    utc = _appointment_times(company, booked, rng)
    appointments = blank_events(company, utc, APPOINTMENT)
    count = len(appointments)
    for name in ("number", "customer", "branch"):
        appointments[name] = booked[name]
    appointments["outcome"] = rng.choice(len(APPOINTMENT_OUTCOMES), count, p=[0.84, 0.10, 0.06])
    appointments["detail"] = rng.integers(0, len(services), count)
    prices = np.array([price for _, price in services])[appointments["detail"]]
    cents = np.round(prices * 100 * np.exp(rng.normal(0, 0.2, count)))
    appointments["cents"] = np.where(appointments["outcome"] == COMPLETED, cents, 0)
    end = window.first_second + window.days * DAY
    happened = appointments[utc + offsets_at(utc, zone) < end]
    return np.asarray(happened[np.argsort(happened["utc"], kind="stable")])


def _appointment_times(company: Company, booked: Events, rng: np.random.Generator) -> Ints:
    """UTC seconds: most appointments follow within hours, the others in the business hours of a later day."""
    count, zone = len(booked), company.market.time_zone
    soon = booked["utc"] + rng.integers(15 * 60, 90 * 60, count)
    local_day = (booked["utc"] + booked["offset"]) // DAY + rng.choice([1, 2, 3], count, p=[0.6, 0.25, 0.15])
    hours = company.archetype.business_hours
    shift = np.array([next(s for s in range(7) if hours[(day + s) % 7] is not None) for day in range(7)])
    local_day += shift[weekday_of(local_day * DAY)]
    opening, closing = np.array([span or (0, 0) for span in hours]).T
    weekday = weekday_of(local_day * DAY)
    second = HOUR * (opening[weekday] + rng.random(count) * (closing - opening)[weekday])
    later = to_utc(local_day * DAY + second.astype(np.int64), zone, np.zeros(count, dtype=np.bool_))
    return np.where(rng.random(count) < 0.6, soon, later)
