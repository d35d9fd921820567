"""How often experiments find what is not there, and what is: whole tests on simulated companies."""

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ml.experiments.assignment import assign
from ml.experiments.design import Design
from ml.experiments.effect import Outcomes
from ml.experiments.looks import Look, due_step, take_look

__all__ = ["Draw", "clopper_pearson", "draw_proportions", "draw_revenues", "run_experiment"]

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, NDArray[np.int64], NDArray[np.bool_]], tuple[Floats, Floats]]
"""Numerators and denominators [n] of companies by stratum (0, 1, 2) [n] and whether they have variant b [n]."""

STRATA = 3


def run_experiment(design: Design, draw: Draw, rng: np.random.Generator) -> list[Look]:
    """All looks of one test, from the first company's assignment to the end; week by week, as companies come.

    Newcomers are assigned with those before them in mind, are counted once their observation is over, and a look is
    taken whenever one is due.
    """
    taken: dict[str, int] = {}
    arms, strata = np.empty(0, dtype=bool), np.empty(0, dtype=np.int64)
    numerators, denominators = np.empty(0), np.empty(0)
    ripe_after = ceil(design.observation_days / 7)
    joined, looks = [0], list[Look]()
    for week in range(design.last_day // 7 + 1):
        new_arms, new_strata = _newcomers(design, week, taken, rng)
        values = draw(rng, new_strata, new_arms)
        arms, strata = np.append(arms, new_arms), np.append(strata, new_strata)
        numerators, denominators = np.append(numerators, values[0]), np.append(denominators, values[1])
        joined.append(len(arms))
        ripe = joined[max(0, week + 1 - ripe_after)]
        outcomes = Outcomes(arms[:ripe], strata[:ripe], numerators[:ripe], denominators[:ripe])
        is_over = week == design.last_day // 7
        if step := due_step(design, outcomes.counted().counts, is_over, looks):
            looks.append(take_look(design, outcomes, step, looks))
            if looks[-1].ends_the_test:
                break
    return looks


def draw_proportions(baseline: float, effect: float = 0.0, spread: float = 0.0, most: int = 1) -> Draw:
    """Successes among 1..`most` cases a company; the strata's rates are `spread` apart."""

    def draw(rng: np.random.Generator, stratum: NDArray[np.int64], is_b: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        cases = rng.integers(1, most + 1, len(stratum))
        rates = baseline + spread * (stratum - 1) + effect * is_b
        return rng.binomial(cases, rates).astype(np.float64), cases.astype(np.float64)

    return draw


def draw_revenues(mean: float, variation: float, effect: float = 0.0, factor: float = 1.0, most: int = 1) -> Draw:
    """Lognormal amounts of 1..`most` months; each stratum's are `factor` times those of the one before."""
    sigma = float(np.sqrt(np.log1p(variation**2)))

    def draw(rng: np.random.Generator, stratum: NDArray[np.int64], is_b: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        months = rng.integers(1, most + 1, len(stratum)).astype(np.float64)
        monthly = mean * rng.lognormal(-(sigma**2) / 2, sigma, len(stratum)) * factor ** (stratum - 1.0)
        return (monthly + effect * is_b) * months, months

    return draw


def clopper_pearson(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a probability from `hits` among `trials` (Clopper and Pearson, Biometrika 1934)."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 1 - tail)) if hits < trials else 1.0
    return low, high


def _newcomers(
    design: Design, week: int, taken: dict[str, int], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    count = round(design.companies_per_week) + (design.companies_at_start if week == 0 else 0)
    strata = {f"{week}-{number}": str(stratum) for number, stratum in enumerate(rng.integers(0, STRATA, count))}
    assigned = assign(design.key, strata, taken)
    for one in assigned:
        taken[one.stratum] = one.position + 1
    return (
        np.array([one.arm == "b" for one in assigned], dtype=bool),
        np.array([int(one.stratum) for one in assigned], dtype=np.int64),
    )
