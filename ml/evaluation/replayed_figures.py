"""What replayed recommendations come to together: beside the simple ways of choosing, and beside what they promised."""

import numpy as np
import pandas as pd

from ml.evaluation.regret import by_decile, summary

__all__ = ["AFTER_A_TRIAL", "FEWEST", "compare_choosers", "told_and_seen"]

FEWEST = 20
"""Recommendations from which on a part of all has figures of its own."""
AFTER_A_TRIAL = "after a trial"
HISTORIES = {0: "under 28 days", 28: "28 to 59 days", 60: "60 days or more"}
"""Groups by complete days of history, from each bound on."""
CHOOSERS = {
    "recommended": ("recommended_cost", "recommended_plan_id"),
    "stay": ("stay_cost", "current_plan_id"),
    "last_month": ("last_month_cost", "last_month_plan_id"),
    "best_single_plan": ("single_plan_cost", "single_plan_id"),
}
AGAINST_STAYING = ["captured_share", "harmed_share", "harmed_among_switches"]


def compare_choosers(replayed: pd.DataFrame) -> pd.DataFrame:
    """One row per currency, group and chooser, with the columns of `ml.evaluation.regret.summary`.

    `replayed`: as `replay_recommendations` gives, with recommendation_type and history_days. Groups: all that could
    stay, those of one type or of one length of history where they are FEWEST or more, and those whose trial ended,
    which have no figures against staying.
    """
    rows = [
        {"currency": currency, "group": group, "chooser": chooser, **_figures(part, chooser)}
        for currency, own in replayed.groupby("currency")
        for group, part in _groups(own)
        for chooser in CHOOSERS
        if part[CHOOSERS[chooser][0]].notna().all()
    ]
    return pd.DataFrame(rows)


def told_and_seen(replayed: pd.DataFrame) -> pd.DataFrame:
    """Per action and decile of the probability told, how often what was told came true, as `by_decile` has it.

    Only deciles of which there are any. Needs action, probability and was_right.
    """
    told = replayed[replayed["was_right"].notna()]
    parts = [
        by_decile(own["probability"].to_numpy(np.float64), own["was_right"].to_numpy(dtype=bool)).assign(action=action)
        for action, own in told.groupby("action")
    ]
    found = pd.concat(parts, ignore_index=True) if parts else by_decile(np.zeros(0), np.zeros(0, bool))
    return found[found["switches"] > 0].rename(columns={"switches": "recommendations"})


def _groups(replayed: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    could_stay = replayed["stay_cost"].notna()
    kept, ended = replayed[could_stay], replayed[~could_stay]
    lengths = pd.cut(kept["history_days"], [*HISTORIES, np.inf], right=False, labels=list(HISTORIES.values()))
    parts = [*kept.groupby("recommendation_type"), *kept.groupby(lengths, observed=True)]
    wanted = [("all", kept, 1), *((str(group), part, FEWEST) for group, part in parts), (AFTER_A_TRIAL, ended, 1)]
    return [(group, part) for group, part, fewest in wanted if len(part) >= fewest]


def _figures(part: pd.DataFrame, chooser: str) -> dict[str, float]:
    cost, plan = CHOOSERS[chooser]
    moved = (part[plan] != part["current_plan_id"]).to_numpy(dtype=bool)
    paid, stay, best = (part[name].to_numpy(np.float64) for name in (cost, "stay_cost", "best_cost"))
    figures = dict(summary(paid, stay, best, moved))
    if part["stay_cost"].isna().any():
        figures |= dict.fromkeys(AGAINST_STAYING, np.nan)
    return figures
