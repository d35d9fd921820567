"""Recommendations replayed on the usage that followed: what was advised cost, and what other choices would have."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.projection import PROJECTED_METERS
from ml.analysis.windows import require_columns
from ml.rating.plan import Plan
from ml.recommendation.choosers.outcomes import costs_of
from ml.recommendation.choosers.policy import is_harmed

__all__ = ["MONTH_DAYS", "replay_recommendations"]

MONTH_DAYS = 30
"""The month that follows, and the one before: as long as the projection that a recommendation rests on."""
COLUMNS = {
    "recommendations": (
        "company_id",
        "recommendation_key",
        "as_of",
        "currency",
        "current_plan_id",
        "recommended_plan_id",
        "reason",
        "last_days",
    ),
    "options": ("recommendation_key", "plan_id", "rank"),
    "followed": ("recommendation_key", "meter", "quantity"),
    "before": ("recommendation_key", "meter", "quantity"),
}
HALF_A_CENT = 0.005


def replay_recommendations(
    recommendations: pd.DataFrame,
    options: pd.DataFrame,
    followed: pd.DataFrame,
    before: pd.DataFrame,
    plans: Mapping[int, Plan],
) -> pd.DataFrame:
    """The recommendations [n], in their order, with what each choice came to in the month that followed.

    `options`: the plans that each compared, the current one among them, by rank. `followed`: usage of the MONTH_DAYS
    from `as_of` on, in the meters' units. `before`: usage of the `last_days` complete days among the MONTH_DAYS before,
    scaled to that many here. `plans` by id. Prices are those of the float twin, rounded to cents, per month.

    Added: recommended_cost, stay_cost, best_cost, last_month_cost and single_plan_cost, in `currency`; best_plan_id,
    the cheapest option in hindsight; last_month_plan_id, the cheapest on the usage before; single_plan_id, the one
    that would have cost least for all recommendations of the same currency, product and month of `as_of` together, of
    those open to half of them or more; to whom it was not open keeps the own plan, or after a trial takes the advised
    one. regret = recommended - best, saving = stay - recommended; is_harmed; was_right: whether that came true of
    which `reason` told the probability (see `verdict.judge`), null where nothing was told. A trial that ends can't be
    kept: it is no option, and what compares with staying is null.

    Raises ValueError for missing columns, and naming recommendations whose plans are not among their options.
    """
    frames = {"recommendations": recommendations, "options": options, "followed": followed, "before": before}
    for name, frame in frames.items():
        require_columns(frame, name, COLUMNS[name])
    if recommendations.empty:
        return recommendations.copy()
    asked = _Asked.of(recommendations, options, plans)
    costs = asked.priced(followed, np.ones(len(recommendations)))
    best = asked.cheapest(costs)
    scale = ratio(MONTH_DAYS, recommendations["last_days"].to_numpy(), otherwise=0)
    last = np.where(scale > 0, asked.cheapest(asked.priced(before, scale)), asked.otherwise)
    single = asked.single(costs, _cohorts(recommendations, plans))
    advised_cost, best_cost = asked.cost(costs, asked.advised), asked.cost(costs, best)
    stay = np.where(asked.can_stay, asked.cost(costs, asked.held), np.nan)
    return recommendations.assign(
        recommended_cost=advised_cost,
        stay_cost=stay,
        best_plan_id=asked.ids[best],
        best_cost=best_cost,
        last_month_plan_id=asked.ids[last],
        last_month_cost=asked.cost(costs, last),
        single_plan_id=asked.ids[single],
        single_plan_cost=asked.cost(costs, single),
        regret=(advised_cost - best_cost).round(2),
        saving=(stay - advised_cost).round(2),
        is_harmed=_known(is_harmed(advised_cost, stay), asked.can_stay),
        was_right=_was_right(recommendations["reason"], advised_cost, stay, best_cost, asked.cost(costs, asked.other)),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """p plans, by `ids` [p], and which of them each of n recommendations compared: `is_option` [p, n].

    `held`, `advised` and `other`, the best-ranked one besides the one held (itself without another) [n]: rows of the
    plans. `can_stay` [n]: whether the plan held could be kept.
    """

    keys: pd.Index
    ids: Ints
    plans: tuple[Plan, ...]
    is_option: Bools
    held: Ints
    advised: Ints
    other: Ints
    can_stay: Bools

    @classmethod
    def of(cls, recommendations: pd.DataFrame, options: pd.DataFrame, plans: Mapping[int, Plan]) -> "_Asked":
        keys = pd.Index(recommendations["recommendation_key"])
        columns = [recommendations["current_plan_id"], recommendations["recommended_plan_id"]]
        ids = np.unique(np.concatenate([options["plan_id"], *columns]).astype(np.int64))
        rank = np.full((len(ids), len(keys)), np.inf)
        at = np.searchsorted(ids, options["plan_id"]), keys.get_indexer(options["recommendation_key"])
        rank[at] = options["rank"]
        held, advised = (np.searchsorted(ids, column) for column in columns)
        own = np.arange(len(keys))
        lacks = np.isinf(rank[held, own]) | np.isinf(rank[advised, own])
        if lacks.any():
            raise ValueError(f"options lacks plans that {keys[lacks][:10].tolist()} hold or advise; add their rows.")
        is_option = np.isfinite(rank)
        rank[held, own] = np.inf
        alone = np.isinf(rank).all(axis=0)
        is_trial = np.array([plans[plan].is_trial for plan in ids.tolist()])
        other = np.where(alone, held, rank.argmin(axis=0))
        can_stay = alone | ~is_trial[held]
        return cls(keys, ids, tuple(plans[plan] for plan in ids.tolist()), is_option, held, advised, other, can_stay)

    @property
    def is_open(self) -> Bools:
        """What [p, n] could be chosen."""
        found = self.is_option.copy()
        found[self.held, np.arange(len(self.held))] = self.can_stay
        return found

    @property
    def otherwise(self) -> Ints:
        """What [n] is left to whoever can't choose in a certain way: staying, or what was advised after a trial."""
        return np.where(self.can_stay, self.held, self.advised)

    def priced(self, usage: pd.DataFrame, scale: Floats) -> Floats:
        """Costs [p, n] of the usage times `scale` [n], in cents."""
        totals = usage.pivot_table(index="recommendation_key", columns="meter", values="quantity", aggfunc="sum")
        totals = totals.reindex(index=self.keys, columns=list(PROJECTED_METERS)).astype(np.float64).fillna(0)
        return costs_of(self.plans, PROJECTED_METERS, totals.to_numpy() * scale[:, None]).round(2)

    def cheapest(self, costs: Floats) -> Ints:
        """The cheapest open plan [n]; of equals the one held, then that of the lowest id."""
        preferred = np.where(self.is_open, costs, np.inf)
        preferred[self.held, np.arange(len(self.held))] -= HALF_A_CENT
        return np.asarray(preferred.argmin(axis=0), dtype=np.int64)

    def cost(self, costs: Floats, chosen: Ints) -> Floats:
        """What [n] the chosen plans cost."""
        found: Floats = costs[chosen, np.arange(len(chosen))]
        return found

    def single(self, costs: Floats, cohorts: Ints) -> Ints:
        """Of plans open to half of a cohort [n] or more the one that is cheapest for all of it [n]; see above."""
        paid = np.where(self.is_open, costs, self.cost(costs, self.otherwise))
        chosen = self.held.copy()
        for cohort in np.unique(cohorts):
            same = cohorts == cohort
            open_to = self.is_open[:, same].sum(axis=1)
            candidates = np.flatnonzero(open_to >= min(open_to.max(), same.sum() / 2))
            chosen[same] = candidates[paid[candidates][:, same].sum(axis=1).argmin()]
        return np.where(self.is_open[chosen, np.arange(len(chosen))], chosen, self.otherwise)


def _cohorts(recommendations: pd.DataFrame, plans: Mapping[int, Plan]) -> Ints:
    month = pd.to_datetime(recommendations["as_of"]).dt.to_period("M")
    product = recommendations["current_plan_id"].map({plan: terms.product for plan, terms in plans.items()})
    found = recommendations.groupby(["currency", product, month], sort=False).ngroup()
    return np.asarray(found, dtype=np.int64)


def _was_right(
    reason: "pd.Series[str]", advised: Floats, stay: Floats, best: Floats, other: Floats
) -> pd.arrays.BooleanArray:
    """By reason, whether that came true of which the confidence is the probability."""
    came_true = {
        "cheaper_with_good_odds": advised < stay,
        "no_option_passes": ~(other < stay),
        "trial_ends": advised <= best,
    }
    held = np.select([reason == name for name in came_true], list(came_true.values()), default=False)
    return _known(held, reason.isin(came_true).to_numpy(dtype=bool))


def _known(values: Bools, is_known: Bools) -> pd.arrays.BooleanArray:
    """Nullable booleans, null where not known."""
    return pd.arrays.BooleanArray(values, ~is_known)
