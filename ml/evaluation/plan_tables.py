"""The figures of a backtest of plans: altogether, by cut-off, by segment, and what each gate would have come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from ml.evaluation.plan_backtest import SEGMENTS, Judged, over_by, own_origins
from ml.evaluation.regret import FEWEST_DECILES, calibration_error, regret_table, reliability
from ml.recommendation.choosers.outcomes import Origin
from ml.recommendation.choosers.policy import trade_off

__all__ = ["PlanTables", "plan_tables"]

SHOWN_REGRET = {
    "recommended_ungated": "regret_ungated",
    "recommended_gated": "regret_gated",
    "stay": "regret_stay",
    "last_month": "regret_last_month",
}


@dataclass(frozen=True, slots=True)
class PlanTables:
    """Figures of the judged cut-offs; money is in the plans' currency.

    `regret`: a `regret_table`; `by_cutoff`: one for each cut-off, in its column cutoff. `reliability`, and the
    calibration error of it, None where too few deciles are shown. `winners`: one row per segment, with the policy of
    its latest cut-off and the regret of all. `policies`: one row per cut-off and segment. `trade_offs`: per segment and
    gate what the latest policy's family would have come to on the cases that it was learned from.
    """

    regret: pd.DataFrame
    by_cutoff: pd.DataFrame
    reliability: pd.DataFrame
    calibration_error: float | None
    winners: pd.DataFrame
    policies: pd.DataFrame
    trade_offs: pd.DataFrame


def plan_tables(
    judged: Sequence[Judged], origins: Sequence[Origin], cutoffs: Mapping[int, date], horizon: int
) -> PlanTables:
    """From what is to be shown, all origins that were learned from, and the cut-offs by their age."""
    by_cutoff = [
        regret_table([one for one in judged if one.origin.age == age]).assign(cutoff=cutoffs[age])
        for age in sorted({one.origin.age for one in judged}, reverse=True)
    ]
    reliable = reliability(judged)
    latest = {segment: own[-1] for segment in SEGMENTS if (own := [one for one in judged if one.segment == segment])}
    return PlanTables(
        regret=regret_table(judged),
        by_cutoff=pd.concat(by_cutoff, ignore_index=True),
        reliability=reliable,
        calibration_error=calibration_error(reliable) if reliable["is_shown"].sum() >= FEWEST_DECILES else None,
        winners=pd.DataFrame(
            [_winner(one, [other for other in judged if other.segment == segment]) for segment, one in latest.items()]
        ),
        policies=pd.DataFrame(
            [{"cutoff": cutoffs[one.origin.age], "segment": one.segment, **one.policy.as_json()} for one in judged]
        ),
        trade_offs=pd.concat([_trade_offs(one, origins, horizon) for one in latest.values()], ignore_index=True),
    )


def _winner(latest: Judged, judged: Sequence[Judged]) -> dict[str, object]:
    rows, policy = {row["chooser"]: row for row in regret_table(judged).to_dict("records")}, latest.policy
    return {
        "segment": latest.segment,
        "family": policy.family,
        **{f"loss_{name}": loss for name, loss in policy.losses.items()},
        "min_saving_share": policy.gate.min_saving_share,
        "min_probability": policy.gate.min_probability,
        "cases": rows["stay"]["cases"],
        **{column: rows[name]["regret_share"] for name, column in SHOWN_REGRET.items()},
        "harmed_share": rows["recommended_gated"]["harmed_share"],
    }


def _trade_offs(latest: Judged, origins: Sequence[Origin], horizon: int) -> pd.DataFrame:
    policy = latest.policy
    past = own_origins(over_by(origins, latest.origin.age, horizon), SEGMENTS[latest.segment])
    tried = [origin for origin in past if policy.family in origin.trials]
    rows = trade_off(tried, policy.family, policy.calibration) if tried else []
    return pd.DataFrame(rows).assign(segment=latest.segment)
