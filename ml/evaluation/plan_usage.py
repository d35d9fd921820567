"""Somebody's own table of daily usage and price list, made ready for the backtest of plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from ml.analysis.arrays import Ints
from ml.analysis.forecasting.history import History
from ml.rating.meters import METERS
from ml.rating.plan import Plan
from ml.rating.twin import NoTwinError, Twin
from ml.recommendation.choosers.cases import MONTH, NOT_KNOWN, Held
from ml.recommendation.choosers.outcomes import costs_of

__all__ = ["UNITS", "PlanUsage", "comparable_plans", "held_by_cost", "held_by_name", "main_meter", "plan_usage"]

UNITS = {"minutes": ("call_seconds", 60.0), "seconds": ("call_seconds", 1.0)}
"""Names of meters that tables use beside those of price lists, and how many of the meter's units they are."""
LARGE = 1e9


@dataclass(frozen=True, slots=True)
class PlanUsage:
    """Histories by meter of a price list, rows being `accounts` and days up to the last one of the table.

    `units`: by meter, how many of its own units the table's are.
    """

    accounts: tuple[str, ...]
    histories: Mapping[str, History]
    last: date
    units: Mapping[str, float]

    def age_of(self, cutoff: date) -> int:
        """Days from a cut-off, the first day ahead, to the end."""
        return (self.last - cutoff).days + 1

    def times(self, factor: float) -> "PlanUsage":
        """All usage multiplied."""
        scaled = {
            meter: History(one.quantity * factor, one.observed, one.ends) for meter, one in self.histories.items()
        }
        return PlanUsage(self.accounts, scaled, self.last, self.units)


def plan_usage(table: pd.DataFrame) -> PlanUsage:
    """From a checked table account, date, meter, quantity. Meters that no price list knows are left out.

    An account is there from its first row on; days without a row are days without usage.
    Raises ValueError when no meter is left.
    """
    names = {name: UNITS.get(name, (name, 1.0)) for name in table["meter"].unique()}
    known = {name: found for name, found in names.items() if found[0] in METERS}
    if not known:
        raise ValueError(
            f"no meter of the table ({', '.join(sorted(names))}) is one of a price list; "
            f"use {', '.join(sorted({*METERS, *UNITS}))}."
        )
    rows = table[table["meter"].isin(known)]
    factors = rows["meter"].map({name: factor for name, (_, factor) in known.items()})
    rows = rows.assign(
        meter=rows["meter"].map({name: meter for name, (meter, _) in known.items()}),
        quantity=rows["quantity"] * factors,
    )
    days = pd.date_range(table["date"].min(), table["date"].max())
    accounts = pd.Index(sorted(rows["account"].unique()))
    first = days.get_indexer(pd.DatetimeIndex(rows.groupby("account")["date"].min().reindex(accounts)))
    observed = np.arange(len(days)) >= first[:, None]
    last = table["date"].max().date()
    ends = np.repeat(np.datetime64(last + timedelta(days=1), "D"), len(accounts))
    histories = {}
    for meter, own in rows.groupby("meter"):
        wide = own.pivot_table(index="account", columns="date", values="quantity", aggfunc="sum")
        wide = wide.reindex(index=accounts, columns=days, fill_value=0).fillna(0.0)
        histories[str(meter)] = History(wide.to_numpy(dtype=np.float64), observed, ends)
    return PlanUsage(tuple(accounts), histories, last, dict(known.values()))


def comparable_plans(plans: Sequence[Plan], meters: Sequence[str]) -> tuple[list[Plan], dict[str, str]]:
    """The plans that can be compared on usage of these meters, and why each other one can't.

    Compared are the newest versions on sale of the currency and product that have most of them (ties: as they come),
    that charge money for no meter but these. A plan that also charges another would look free of that charge.
    """
    newest = {plan.plan_key: plan for plan in sorted(plans, key=lambda plan: plan.version)}
    reasons = {plan.plan_key: _reason(plan, meters) for plan in newest.values()}
    usable = [plan for plan in newest.values() if not reasons[plan.plan_key]]
    groups = [(plan.currency, plan.product) for plan in usable]
    currency, product = max(groups, key=groups.count, default=("", ""))
    kept = [plan for plan in usable if (plan.currency, plan.product) == (currency, product)]
    for plan in usable:
        if plan not in kept:
            reasons[plan.plan_key] = f"is in {plan.currency}" if plan.product == product else "is another product"
    return kept, {key: reason for key, reason in reasons.items() if reason}


def _reason(plan: Plan, meters: Sequence[str]) -> str:
    if not plan.is_sellable or plan.is_trial:
        return "is not on sale"
    try:
        twin = Twin([plan])
    except NoTwinError:
        return "has a price that depends on single events or hours"
    nothing = twin.costs({meter: np.zeros(1) for meter in plan.meters})
    for meter in sorted(plan.meters - set(meters)):
        if (twin.costs({meter: np.array([LARGE])}) != nothing).any():
            return f"charges {meter}, which the table lacks"
    if not plan.meters & set(meters):
        return "charges no meter of the table"
    return ""


def main_meter(usage: PlanUsage, plans: Sequence[Plan]) -> str:
    """The meter that most of the plans charge, the first by name among equals."""
    return max(sorted(usage.histories), key=lambda meter: sum(meter in plan.meters for plan in plans))


def held_by_cost(usage: PlanUsage, plans: Sequence[Plan], history_days: int) -> Held:
    """The plan that was cheapest in the 30 days before the history, where the account was there on all of them."""

    def held(age: int) -> Ints:
        histories = tuple(usage.histories.values())
        end = histories[0].days - age - history_days
        before = slice(max(end - MONTH, 0), max(end, 0))
        totals = np.stack([history.quantity[:, before].sum(axis=1) for history in histories], axis=1)
        was_there = histories[0].observed[:, before].sum(axis=1) == MONTH
        cheapest = costs_of(plans, tuple(usage.histories), totals).argmin(axis=0)
        return np.where(was_there, cheapest, NOT_KNOWN)

    return held


def held_by_name(usage: PlanUsage, plans: Sequence[Plan], table: pd.DataFrame) -> Held:
    """The plan that the column `current_plan` names last before a cut-off. Raises ValueError for an unknown plan."""
    keys = {plan.plan_key: number for number, plan in enumerate(plans)}
    known = table[table["current_plan"].notna()]
    unknown = sorted(set(known["current_plan"]) - keys.keys())
    if unknown:
        raise ValueError(f"current_plan is {unknown[0]!r}; the plans compared are {', '.join(sorted(keys))}.")
    days = pd.date_range(table["date"].min(), usage.last)
    wide = known.assign(plan=known["current_plan"].map(keys)).pivot_table(
        index="account", columns="date", values="plan", aggfunc="last"
    )
    wide = wide.reindex(index=pd.Index(usage.accounts), columns=days).ffill(axis=1).fillna(NOT_KNOWN)
    plan_on = wide.to_numpy(dtype=np.int64)

    def held(age: int) -> Ints:
        day = len(days) - age - 1
        return plan_on[:, day] if day >= 0 else np.full(len(usage.accounts), NOT_KNOWN)

    return held
