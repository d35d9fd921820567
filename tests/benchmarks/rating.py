"""How many companies a core can price: 20 plans under 1,000 given scenarios of a month each."""

from time import process_time

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ml.rating.plan import Plan
from ml.rating.twin import Twin
from tests.benchmarks.registry import at_least, benchmark
from tests.benchmarks.workbench import Workbench

PLANS, SCENARIOS, COMPANIES, ROUNDS = 20, 1_000, 500, 5


@benchmark("rating.companies_per_second", "1/s", at_least(2_500))
def companies_per_second(bench: Workbench) -> float:
    """Graduated and per-unit prices with 24 different tier bounds among the plans, by the best of five rounds."""
    return _companies_per_second(bench, tiered_plans())


@benchmark("rating.companies_per_second_of_steps", "1/s", None)
def companies_per_second_of_steps(bench: Workbench) -> float:
    """The same for packages and volume prices, which jump."""
    return _companies_per_second(bench, stepped_plans())


def tiered_plans() -> list[Plan]:
    """Graduated and per-unit prices, with 24 different tier bounds among them."""
    return [_graduated(number) for number in range(PLANS)]


def stepped_plans() -> list[Plan]:
    """Packages and volume prices in turns."""
    makers = (_package, _volume)
    return [makers[number % 2](number) for number in range(PLANS)]


def _companies_per_second(bench: Workbench, plans: list[Plan]) -> float:
    """On one core: the library of matrix products would take all of them."""
    usage = _scenarios()
    best = np.inf
    for number in range(ROUNDS):
        bench.step(f"Pricing {COMPANIES} companies, round {number + 1} of {ROUNDS} ...")
        with threadpool_limits(1):
            begun = process_time()
            costs = Twin(plans).costs(usage)
            best = min(best, process_time() - begun)
        if costs.shape != (PLANS, COMPANIES, SCENARIOS) or not (costs > 0).any():
            raise RuntimeError(f"the costs have the shape {costs.shape}")
    return COMPANIES / best


def _scenarios() -> dict[str, NDArray[np.float64]]:
    draws = np.random.default_rng(7)
    minutes = draws.gamma(2.0, 400.0, (COMPANIES, SCENARIOS))
    return {"call_seconds": np.round(60 * minutes), "appointments": draws.poisson(60, (COMPANIES, SCENARIOS)) * 1.0}


def _bounds(number: int) -> list[int | None]:
    """Three of 24 bounds, so that the plans together have all of them."""
    return [250 * (1 + (number + 8 * tier) % 8 + 8 * tier) for tier in range(3)] + [None]


def _tiers(number: int) -> list[dict[str, object]]:
    prices = ("0.15", "0.12", "0.10", "0.08")
    return [{"up_to": bound, "unit_price": price} for bound, price in zip(_bounds(number), prices, strict=True)]


def _graduated(number: int) -> Plan:
    return _plan(number, {"model": "graduated", "tiers": _tiers(number)})


def _volume(number: int) -> Plan:
    return _plan(number, {"model": "volume", "tiers": _tiers(number)})


def _package(number: int) -> Plan:
    return _plan(number, {"model": "package", "package_price": "9", "package_size": 100 + 10 * number})


def _plan(number: int, charge: dict[str, object]) -> Plan:
    appointment = {"model": "per_unit", "meter": "appointments", "unit_price": "0.50", "included": number}
    return Plan.model_validate(
        {
            "plan_key": f"plan-{number}",
            "version": 1,
            "name": "Plan",
            "currency": "EUR",
            "monthly_base_fee": 3 * number,
            "option": "standard",
            "valid_from": "2026-01-01",
            "charges": [{"meter": "call_seconds", "per": 60, **charge}, appointment],
        }
    )
