"""What following the advice would have cost: on simulated companies that nothing was tuned on, and on real usage."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from rich.table import Table

from ml.evaluation.plan_report import LengthReport, PlanOptions, report_plans
from ml.evaluation.plan_scale import Scale
from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.synthetic.churn import simulate_histories
from tests.benchmarks.registry import at_most, benchmark
from tests.benchmarks.workbench import Workbench
from tests.ml.evaluation.plan_goals import ERROR, GAP, LEFT, MOST_HARMED, NOT_WORSE, PLAINLY_WRONG, missed
from tests.ml.recommendation.choosers.world import STEEP
from tests.real_minutes import FILES, minutes_of

COMPANIES, DAYS, SEEDS = 600, 400, (9101, 9102)
LONGEST_CALL = 8.0
"""Minutes of a call at the most talkative company; one at the least."""
SCALE = Scale.of("800")
PRICES = {"delivered": lambda: load_catalogue(default_catalogue(), "default.yaml"), "steep": lambda: STEEP}


@dataclass(frozen=True)
class Outcome:
    """What came out on one data set, price list and length of history."""

    data: str
    prices: str
    found: LengthReport

    @property
    def regret(self) -> pd.Series:
        """Shares of the best cost, by chooser."""
        return self.found.tables.regret.set_index("chooser")["regret_share"]

    @property
    def gated(self) -> pd.Series:
        """Figures of the gated advice."""
        return self.found.tables.regret.set_index("chooser").loc["recommended_gated"]

    @property
    def is_plainly_wrong(self) -> bool:
        """Whether the cheapest plan on last month is a bad choice here."""
        return bool(self.regret["last_month"] > PLAINLY_WRONG)


@benchmark("recommendation.regret_vs_last_month", "x", at_most(max(LEFT.values())))
def regret_vs_last_month(bench: Workbench) -> float:
    """Regret of ungated advice to that of the cheapest plan on last month, where that errs by 10 %: the worst case."""
    return _worst(bench, lambda one: one.regret["recommended_ungated"] / one.regret["last_month"], wrong=True)


@benchmark("recommendation.regret_above_last_month", "of the best cost", at_most(NOT_WORSE))
def regret_above_last_month(bench: Workbench) -> float:
    """How much more ungated advice costs, where the cheapest plan on last month is a fair choice: the worst case."""
    return _worst(bench, lambda one: one.regret["recommended_ungated"] - one.regret["last_month"], wrong=False)


@benchmark("recommendation.regret_vs_stay", "x", at_most(1))
def regret_vs_stay(bench: Workbench) -> float:
    """Regret of gated advice to that of staying: the worst case."""
    return _worst(bench, lambda one: one.regret["recommended_gated"] / one.regret["stay"])


@benchmark("recommendation.regret_vs_single_plan", "x", at_most(1))
def regret_vs_single_plan(bench: Workbench) -> float:
    """Regret of gated advice to that of the one plan that was best for all in hindsight: the worst case."""
    return _worst(bench, lambda one: one.regret["recommended_gated"] / one.regret["best_single_plan"])


@benchmark("recommendation.harmed_share", "of cases", at_most(MOST_HARMED))
def harmed_share(bench: Workbench) -> float:
    """Who pays more than 1 % above staying by gated advice: the worst case."""
    return _worst(bench, lambda one: one.gated["harmed_share"])


@benchmark("recommendation.calibration_error", "of 1", at_most(ERROR))
def calibration_error(bench: Workbench) -> float:
    """Expected calibration error where at least three deciles have switches enough: the worst case."""
    return _worst(bench, lambda one: np.nan if (error := one.found.tables.calibration_error) is None else error)


@benchmark("recommendation.calibration_gap", "of 1", at_most(GAP))
def calibration_gap(bench: Workbench) -> float:
    """The widest gap between what is said and what is observed in a decile with switches enough."""
    return _worst(bench, lambda one: one.found.tables.reliability.query("is_shown")["gap"].abs().max())


def _worst(bench: Workbench, figure: Callable[[Outcome], float], wrong: bool | None = None) -> float:
    chosen = [one for one in _outcomes(bench) if wrong is None or one.is_plainly_wrong == wrong]
    return float(np.nanmax([figure(one) for one in chosen]))


@cache
def _outcomes(bench: Workbench) -> tuple[Outcome, ...]:
    found = tuple(_judged(bench))
    bench.show(_table(found))
    return found


def _judged(bench: Workbench) -> Iterator[Outcome]:
    tables = {"simulated": pd.concat([_simulated(seed) for seed in SEEDS])}
    tables |= {name: minutes_of(name) for name, file in FILES.items() if file.exists()}
    for data, table in tables.items():
        for prices, plans in PRICES.items():
            bench.step(f"Choosing plans: {data}, {prices} prices ...")
            report = report_plans(table, plans(), PlanOptions(tuple(LEFT), scale=SCALE))
            yield from (Outcome(data, prices, found) for found in report.lengths)


def _simulated(seed: int) -> pd.DataFrame:
    """Minutes by day: the calls of simulated companies, each company's of a length of its own."""
    histories = simulate_histories(COMPANIES, DAYS, seed)
    length = np.exp(np.random.default_rng(seed).uniform(0, np.log(LONGEST_CALL), COMPANIES))
    days = pd.date_range("2025-09-01", periods=DAYS)
    table = pd.DataFrame(
        {
            "account": np.repeat([f"{seed}-{number}" for number in range(COMPANIES)], DAYS),
            "date": np.tile(days, COMPANIES),
            "meter": "minutes",
            "quantity": (histories.counts * length[:, None]).ravel(),
        }
    )
    return table[np.tile(np.arange(DAYS), COMPANIES) >= np.repeat(histories.starts, DAYS)]


def _table(outcomes: tuple[Outcome, ...]) -> Table:
    table = Table(title="What following the advice would have cost, in % of the best cost")
    for heading in ("data", "prices", "days", "cases", "last month", "ungated", "stay", "gated", "single"):
        table.add_column(heading, justify="left" if heading in ("data", "prices") else "right")
    for heading in ("harmed", "of switches", "error", "missed"):
        table.add_column(heading, justify="right")
    for one in outcomes:
        names = ("last_month", "recommended_ungated", "stay", "recommended_gated", "best_single_plan")
        shares = [*one.regret[list(names)], *one.gated[["harmed_share", "harmed_among_switches"]]]
        error = one.found.tables.calibration_error
        table.add_row(
            one.data,
            one.prices,
            str(one.found.history_days),
            f"{int(one.gated['cases']):,}",
            *(f"{100 * share:.2f}" for share in shares),
            "not shown" if error is None else f"{error:.3f}",
            "; ".join(missed(one.found)),
        )
    return table
