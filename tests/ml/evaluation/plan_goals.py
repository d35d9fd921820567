"""What a backtest of plans has to come to."""

import pandas as pd

from ml.evaluation.plan_report import LengthReport

__all__ = ["missed"]

PLAINLY_WRONG = 0.10
"""Regret of the cheapest plan on last month from which on advice must be better by far."""
LEFT = {14: 0.8, 28: 0.8, 60: 0.75}
"""Share of that regret that may be left, by days of history."""
NOT_WORSE, MOST_HARMED, GAP, ERROR = 0.005, 0.05, 0.10, 0.05


def missed(found: LengthReport) -> list[str]:
    """The goals that a length of history misses, each with its figures."""
    regret = found.tables.regret.set_index("chooser")
    share, gated = regret["regret_share"], regret.loc["recommended_gated"]
    advised, last = share["recommended_ungated"], share["last_month"]
    bound = LEFT[found.history_days] * last if last > PLAINLY_WRONG else last + NOT_WORSE
    checks = {
        f"ungated {advised:.4f} is above {bound:.4f}, last month's being {last:.4f}": advised <= bound,
        f"gated {share['recommended_gated']:.4f} is above stay {share['stay']:.4f}": share["recommended_gated"]
        <= share["stay"],
        f"gated is above the single plan {share['best_single_plan']:.4f}": share["recommended_gated"]
        <= share["best_single_plan"],
        f"{gated['harmed_share']:.4f} are harmed": gated["harmed_share"] <= MOST_HARMED,
    }
    return [sentence for sentence, holds in checks.items() if not holds] + _dishonest(
        found.tables.reliability, found.tables.calibration_error
    )


def _dishonest(reliability: pd.DataFrame, error: float | None) -> list[str]:
    shown = reliability[reliability["is_shown"]]
    wide = shown[shown["gap"].abs() > GAP]
    gaps = [f"decile {row.decile} is off by {row.gap:.3f}" for row in wide.itertuples()]
    return gaps + ([f"the calibration error is {error:.4f}"] if error is not None and error > ERROR else [])
