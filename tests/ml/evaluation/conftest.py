"""Worlds without files: daily usage of five meters, with the number of events behind each quantity."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from ml.synthetic.appointments import simulate_appointments
from ml.synthetic.archetypes import open_hours
from ml.synthetic.calls import simulate_calls
from ml.synthetic.companies import DEFAULT_PLAN_KEYS, make_companies
from ml.synthetic.events import Window, weekday_of
from ml.synthetic.volumes import daily_volumes
from ml.synthetic.zones import DAY, HOUR

START = date(2026, 10, 1)


def simulate_usage(companies: int, days: int, events: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `meter_daily` with count_events, and a window from each company's activation to the end."""
    population = make_companies(companies, days, START, seed, DEFAULT_PLAN_KEYS)
    window = Window(START, days)
    volumes = daily_volumes(population, days, START, events, seed)
    parts = []
    for company, volume in zip(population, volumes.tolist(), strict=True):
        random = np.random.default_rng([seed, 3, company.number])
        calls = simulate_calls(company, volume, window, random)
        booked = simulate_appointments(company, calls, window, random)
        local = calls["utc"] + calls["offset"]
        is_open = open_hours(company.archetype)[weekday_of(local), local % DAY // HOUR]
        meters = {
            "calls": (calls, np.ones(len(calls))),
            "appointments": (booked, np.ones(len(booked))),
            "call_seconds": (calls, calls["duration"]),
            "business_hours_call_seconds": (calls[is_open], calls["duration"][is_open]),
            "after_hours_call_seconds": (calls[~is_open], calls["duration"][~is_open]),
        }
        for meter, (found, weights) in meters.items():
            day = (found["utc"] + found["offset"] - window.first_second) // DAY
            counts = np.bincount(day, minlength=days)
            quantity = np.bincount(day, weights=weights, minlength=days)
            frame = pd.DataFrame({"day": np.arange(days), "quantity": quantity, "count_events": counts})
            parts.append(frame.assign(company_id=company.number, meter=meter)[counts > 0])
    usage = pd.concat(parts)
    usage["usage_date"] = pd.Timestamp(START) + pd.to_timedelta(usage.pop("day"), unit="D")
    first = [max(company.activated_at.date(), START) for company in population]
    windows = pd.DataFrame({"company_id": np.arange(companies), "window_start": pd.to_datetime(pd.Series(first))})
    return usage, windows.assign(window_end=pd.Timestamp(START) + pd.Timedelta(days=days))


@pytest.fixture(scope="session")
def make_usage() -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    return simulate_usage


def negative_binomial_usage(
    companies: int, days: int, dispersion: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts with means of 0.5 to 300 a day, weekdays of each company's own, and Var = mean + mean^2 / dispersion."""
    random = np.random.default_rng(seed)
    level = np.exp(random.uniform(np.log(0.5), np.log(300), companies))
    weekdays = np.exp(random.normal(0, 0.4, (companies, 7)))
    weekdays[random.random(companies) < 0.3, 5:] = 0.05
    mean = level[:, None] * (weekdays / weekdays.mean(axis=1, keepdims=True))[:, np.arange(days) % 7]
    counts = random.poisson(mean * random.gamma(dispersion, 1 / dispersion, mean.shape))
    first = pd.Timestamp("2024-01-01")
    usage = pd.DataFrame(
        {
            "company_id": np.repeat(np.arange(companies), days),
            "meter": "api_calls",
            "usage_date": np.tile(pd.date_range(first, periods=days), companies),
            "quantity": counts.ravel().astype(float),
        }
    )
    windows = pd.DataFrame({"company_id": np.arange(companies), "window_start": first})
    return usage, windows.assign(window_end=first + pd.Timedelta(days=days))


@pytest.fixture(scope="session")
def make_counts() -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    return negative_binomial_usage
