"""How many companies a core can advise: 20 plans under 1,000 scenarios each, which are drawn for it."""

from time import process_time

import numpy as np
from threadpoolctl import threadpool_limits

from ml.analysis.arrays import Ints
from ml.analysis.forecasting.history import History
from ml.rating.plan import Plan
from ml.recommendation.choosers.analogues import Analogues
from ml.recommendation.choosers.cases import cases_at, past_cases
from ml.recommendation.choosers.outcomes import Trial
from ml.synthetic.churn import simulate_histories
from tests.benchmarks.rating import PLANS, SCENARIOS, stepped_plans, tiered_plans
from tests.benchmarks.registry import at_least, benchmark
from tests.benchmarks.workbench import Workbench

COMPANIES, DAYS, SEED, ROUNDS = 1_000, 300, 9003, 5
HISTORY, HORIZON = 28, 30
SECONDS, CALLS_PER_APPOINTMENT = 240, 4
"""Of a call; and how many calls make an appointment."""


@benchmark("recommendation.companies_per_second", "1/s", at_least(2_500))
def companies_per_second(bench: Workbench) -> float:
    """Draws, prices with 24 tier bounds among the plans, expected costs and odds, by the best of five rounds."""
    return _companies_per_second(bench, tiered_plans())


@benchmark("recommendation.companies_per_second_of_steps", "1/s", None)
def companies_per_second_of_steps(bench: Workbench) -> float:
    """The same for packages and volume prices, which jump."""
    return _companies_per_second(bench, stepped_plans())


def _companies_per_second(bench: Workbench, plans: list[Plan]) -> float:
    """On one core: the library of matrix products would take all of them."""
    usage = _usage()
    bench.step("Learning what like cases used afterwards ...")
    analogues = Analogues.fit(past_cases(usage, 0, HISTORY, HORIZON, _held), plans)
    cases, best = cases_at(usage, 0, HISTORY, HORIZON, _held), np.inf
    for number in range(ROUNDS):
        bench.step(f"Advising {len(cases)} companies, round {number + 1} of {ROUNDS} ...")
        with threadpool_limits(1):
            begun = process_time()
            paths = analogues.paths(cases, SCENARIOS)
            trial = Trial.of(paths, cases, plans)
            best = min(best, process_time() - begun)
        if paths.shape[2] < SCENARIOS or not (trial.saving_share > 0).any():
            raise RuntimeError(f"{paths.shape[2]} scenarios save nobody anything")
    return len(cases) / best


def _usage() -> dict[str, History]:
    histories = simulate_histories(COMPANIES, DAYS, SEED)
    observed = np.arange(DAYS) >= histories.starts[:, None]
    ends = np.repeat(np.datetime64("2026-11-02"), COMPANIES)
    quantities = {
        "call_seconds": histories.counts * SECONDS,
        "appointments": histories.counts // CALLS_PER_APPOINTMENT,
    }
    return {meter: History(quantity * observed, observed, ends) for meter, quantity in quantities.items()}


def _held(age: int) -> Ints:
    return np.arange(COMPANIES) % PLANS
