"""Which option is chosen for one company, and how probable it is that this is right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.recommendation.choosers.outcomes import NOISE, is_cheaper
from ml.recommendation.choosers.policy import Policy, passes
from ml.recommendation.options import plan_id
from ml.recommendation.simulation import Floats, Simulation

__all__ = ["Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`chosen` option, `ranking` and `least_regret` (the option of minimax regret), as rows of the simulation.

    Per option [o]: `saving_share` of the current expected cost, 0 where that is 0; `raw`, the share of scenarios on
    which it is cheaper than staying; `probability`, the same calibrated. `reason` is one of cheaper_with_good_odds,
    trial_ends, no_option_passes, no_usage, only_option.
    """

    chosen: int
    ranking: tuple[int, ...]
    least_regret: int
    saving_share: Floats
    raw: Floats
    probability: Floats
    confidence: float
    reason: str


def judge(simulation: Simulation, current: int, policy: Policy) -> Verdict:
    """Choose for the company whose present plan is row `current` of the simulation.

    Ranking: expected cost (and risk, as far as the policy is averse to it), then p90, then plan key and version. The
    best-ranked option is chosen if it passes the policy's gate, else the current plan: probabilities are calibrated on
    best-ranked options, so of no other one is known how often it is right. A trial cannot be kept: the best-ranked
    option is chosen without a gate. Without any usage nothing is known, and the company stays.

    Confidence is a calibrated probability: for a switch, that the chosen plan is really cheaper than staying; for stay,
    that the best-ranked other option is not; at the end of a trial, that no other option is cheaper. It is 1 without
    another option and 0 without usage.
    """
    ranking = _ranking(simulation, policy.gate.risk_aversion)
    others = [option for option in ranking if option != current]
    saving = simulation.expected[current] - simulation.expected
    share = saving / simulation.expected[current] if simulation.expected[current] > NOISE else np.zeros(len(saving))
    raw: Floats = is_cheaper(simulation.costs, simulation.costs[current]).mean(axis=1)
    probability = np.where(np.arange(len(raw)) == current, 0.0, policy.calibration(raw))
    chosen, reason = _choose(simulation, current, ranking, share, probability, policy)
    return Verdict(
        chosen=chosen,
        ranking=ranking,
        least_regret=min(ranking, key=lambda option: simulation.max_regret[option].round(6)),
        saving_share=share,
        raw=raw,
        probability=probability,
        confidence=_confidence(simulation, chosen, others, probability, policy, reason),
        reason=reason,
    )


def _ranking(simulation: Simulation, risk_aversion: float) -> tuple[int, ...]:
    # Costs are compared at 6 decimals, so that the last bits of a float don't decide between equals.
    score = (simulation.expected + risk_aversion * (simulation.high - simulation.expected)).round(6)
    high = simulation.high.round(6)
    rows = range(len(simulation.plans))
    return tuple(sorted(rows, key=lambda row: (score[row], high[row], plan_id(simulation.plans[row]))))


def _choose(
    simulation: Simulation,
    current: int,
    ranking: Sequence[int],
    share: Floats,
    probability: Floats,
    policy: Policy,
) -> tuple[int, str]:
    if len(ranking) == 1:
        return current, "only_option"
    if simulation.plans[current].is_trial:
        return next(option for option in ranking if option != current), "trial_ends"
    if not any(paths.any() for paths in simulation.usage.values()):
        return current, "no_usage"
    best = ranking[0]
    if best != current and share[best] > 0 and passes(policy.gate, share, probability)[best]:
        return best, "cheaper_with_good_odds"
    return current, "no_option_passes"


def _confidence(
    simulation: Simulation,
    chosen: int,
    others: Sequence[int],
    probability: Floats,
    policy: Policy,
    reason: str,
) -> float:
    if reason == "only_option":
        return 1.0
    if reason == "no_usage":
        return 0.0
    if reason == "trial_ends":
        cheapest = (simulation.costs[chosen] <= simulation.costs[list(others)].min(axis=0) + NOISE).mean()
        return float(policy.calibration(cheapest))
    if reason == "cheaper_with_good_odds":
        return float(probability[chosen])
    return float(1 - probability[others[0]])
