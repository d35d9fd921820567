"""The backtest of plans from somebody's own table and price list to the figures that are shown of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from ml.evaluation.backtest import check_usage, choose_cutoffs
from ml.evaluation.plan_backtest import judge_origins, walk_forward
from ml.evaluation.plan_scale import AS_IT_IS, Scale, usage_factor
from ml.evaluation.plan_tables import PlanTables, plan_tables
from ml.evaluation.plan_usage import PlanUsage, comparable_plans, held_by_cost, held_by_name, main_meter, plan_usage
from ml.rating.plan import Plan
from ml.recommendation.choosers.cases import MONTH, Held, cases_at

__all__ = ["CURRENT_PLAN", "LengthReport", "PlanOptions", "PlanReport", "report_plans"]

CURRENT_PLAN = "current_plan"
"""The optional column that names the plan of an account."""
FEWEST_PLANS = 2
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What is asked: lengths of the history shown, days ahead (priced as one month), how many of the last firsts of
    months are judged (None: all that fit; earlier ones are learned from all the same), and how usage is scaled."""

    history_days: tuple[int, ...] = (28,)
    horizon: int = MONTH
    cutoffs: int | None = None
    scale: Scale = AS_IT_IS


@dataclass(frozen=True, slots=True)
class LengthReport:
    """What came out with one length of history, usage being multiplied by `factor`."""

    history_days: int
    factor: float
    cutoffs: tuple[date, ...]
    tables: PlanTables


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The plans that were compared, why others were not (by key), the meter that most of them charge, whether the
    table named the plans held, and the figures of each length of history."""

    plans: tuple[Plan, ...]
    left_out: Mapping[str, str]
    meter: str
    is_plan_named: bool
    lengths: tuple[LengthReport, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    table: pd.DataFrame
    usage: PlanUsage
    plans: tuple[Plan, ...]
    options: PlanOptions

    @property
    def is_plan_named(self) -> bool:
        return CURRENT_PLAN in self.table

    @property
    def meter(self) -> str:
        return main_meter(self.usage, self.plans)

    @property
    def days_before(self) -> int:
        """Days before the history that tell the plan held, where the table doesn't."""
        return 0 if self.is_plan_named else MONTH

    def held(self, usage: PlanUsage, history_days: int) -> Held:
        if self.is_plan_named:
            return held_by_name(usage, self.plans, self.table)
        return held_by_cost(usage, self.plans, history_days)


def report_plans(
    table: pd.DataFrame, plans: Sequence[Plan], options: PlanOptions, progress: Progress = lambda _: None
) -> PlanReport:
    """Judge every way of choosing a plan on a table account, date, meter, quantity and perhaps current_plan.

    A cut-off is the first day ahead; nothing of what follows is known there. Without the column current_plan an
    account holds the plan that was cheapest in the 30 days before its history. `progress` is called once per cut-off
    and length, with the number of them. Raises ValueError, which says what to do, for a table that can't be read or is
    too short, fewer than two plans that can be compared, an unknown current_plan, and where nobody can be judged.
    """
    checked = _checked(table)
    usage = plan_usage(checked)
    compared, left_out = comparable_plans(plans, list(usage.histories))
    if len(compared) < FEWEST_PLANS:
        raise ValueError(_too_few(compared, left_out))
    asked = _Question(checked, usage, tuple(compared), options)
    cutoffs = {days: _cutoffs(asked, days) for days in sorted(set(options.history_days))}
    steps = sum(len(found) for found in cutoffs.values())
    lengths = [_judged(asked, days, found, lambda: progress(steps)) for days, found in cutoffs.items()]
    return PlanReport(asked.plans, left_out, asked.meter, asked.is_plan_named, tuple(lengths))


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    checked = check_usage(table)
    if CURRENT_PLAN not in table:
        return checked
    named = table[CURRENT_PLAN].astype("string").str.strip()
    return checked.assign(current_plan=named.where(named != ""))


def _cutoffs(asked: _Question, history_days: int) -> list[date]:
    days, horizon = next(iter(asked.usage.histories.values())).days, asked.options.horizon
    if days < asked.days_before + history_days + horizon:
        before = f"{asked.days_before} before it, which tell the plan held, " if asked.days_before else ""
        raise ValueError(
            f"{days} days of usage; {history_days} of history, {before}and {horizon} ahead need as many together."
        )
    return choose_cutoffs(asked.table, asked.days_before + history_days, horizon, days)


def _judged(asked: _Question, history_days: int, cutoffs: list[date], progress: Callable[[], None]) -> LengthReport:
    ages, horizon = {asked.usage.age_of(cutoff): cutoff for cutoff in cutoffs}, asked.options.horizon
    held = asked.held(asked.usage, history_days)
    cases = [cases_at(asked.usage.histories, age, history_days, horizon, held) for age in ages]
    cases = [part.take(part.can_be_judged) for part in cases]
    shown = [age for age, part in zip(ages, cases, strict=True) if len(part)][-(asked.options.cutoffs or len(ages)) :]
    if not shown:
        raise ValueError(_nobody(asked, history_days))
    factor = usage_factor(asked.options.scale, asked.usage, asked.meter, cases)
    usage = asked.usage.times(factor)
    held = asked.held(usage, history_days)
    origins = walk_forward(usage.histories, asked.plans, ages, history_days, horizon, held, progress)
    judged = [one for one in judge_origins(origins, horizon) if one.origin.age in shown]
    tables = plan_tables(judged, origins, ages, horizon)
    return LengthReport(history_days, factor, tuple(ages[age] for age in shown), tables)


def _too_few(compared: Sequence[Plan], left_out: Mapping[str, str]) -> str:
    reasons = [f"{plan.plan_key} could be" for plan in compared] + [f"{key} {why}" for key, why in left_out.items()]
    return f"fewer than two plans can be compared on this usage: {'; '.join(reasons)}."


def _nobody(asked: _Question, history_days: int) -> str:
    named = "had a current_plan by then" if asked.is_plan_named else f"was there {MONTH} days before it already"
    return (
        f"none of the {len(asked.usage.accounts)} accounts was there for the {history_days} days before a cut-off, used"
        f" anything in them, and {named}, so there is nothing to judge."
    )
