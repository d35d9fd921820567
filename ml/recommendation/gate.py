"""When a cheaper plan is cheap and certain enough to advise a change."""

from dataclasses import dataclass

import numpy as np

from ml.recommendation.options import plan_id
from ml.recommendation.simulation import Floats, Simulation

__all__ = ["DEFAULT_GATE", "Gate", "Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class Gate:
    """A change needs an expected saving of `min_saving_share` of the current cost, and to be no dearer than
    staying on `min_probability` of the paths; both bounds suffice."""

    min_saving_share: float = 0.05
    min_probability: float = 0.75


DEFAULT_GATE = Gate()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`chosen` option and `ranking`, as rows of the simulation; `saving_share` (of the current expected cost,
    0 where that is 0) and `probability` (of being no dearer than staying) per option [o]; `reason` is one of
    cheaper_with_good_odds, trial_ends, no_option_passes, no_usage, only_option."""

    chosen: int
    ranking: tuple[int, ...]
    saving_share: Floats
    probability: Floats
    confidence: float
    reason: str


def judge(simulation: Simulation, current: int, gate: Gate = DEFAULT_GATE) -> Verdict:
    """Choose for the company whose present plan is row `current` of the simulation.

    Ranking: expected cost, then p90, then plan key and version. The best-ranked option that passes the gate is
    chosen, else the current plan. A trial cannot be kept: the cheapest option is chosen without a gate.
    Without any usage nothing is known, and the company stays.

    Confidence is the share of paths on which: for a switch, the chosen plan is no dearer than staying; for
    stay, no option saves `min_saving_share`; at the end of a trial, no other option is cheaper.
    """
    ranking = _ranking(simulation)
    others = [option for option in ranking if option != current]
    saving = simulation.expected[current] - simulation.expected
    share = saving / simulation.expected[current] if simulation.expected[current] > 0 else np.zeros(len(saving))
    probability: Floats = (simulation.costs <= simulation.costs[current]).mean(axis=1)
    chosen, reason = _choose(simulation, current, others, share, probability, gate)
    confidence = _confidence(simulation, current, chosen, others, probability, gate)
    return Verdict(chosen, ranking, share, probability, confidence, reason)


def _ranking(simulation: Simulation) -> tuple[int, ...]:
    # Costs are compared at 6 decimals, so that the last bits of a float don't decide between equals.
    expected, high = simulation.expected.round(6), simulation.high.round(6)
    rows = range(len(simulation.plans))
    return tuple(sorted(rows, key=lambda row: (expected[row], high[row], plan_id(simulation.plans[row]))))


def _choose(
    simulation: Simulation, current: int, others: list[int], share: Floats, probability: Floats, gate: Gate
) -> tuple[int, str]:
    if not others:
        return current, "only_option"
    if simulation.plans[current].is_trial:
        return others[0], "trial_ends"
    if not any(paths.any() for paths in simulation.usage.values()):
        return current, "no_usage"
    for option in others:
        enough = share[option] > 0 and share[option].round(9) >= gate.min_saving_share
        if enough and probability[option] >= gate.min_probability:
            return option, "cheaper_with_good_odds"
    return current, "no_option_passes"


def _confidence(
    simulation: Simulation, current: int, chosen: int, others: list[int], probability: Floats, gate: Gate
) -> float:
    if not others:
        return 1.0
    if chosen != current and not simulation.plans[current].is_trial:
        return float(probability[chosen])
    if chosen != current:
        return float((simulation.costs[chosen] <= simulation.costs[others].min(axis=0)).mean())
    saving = simulation.costs[current] - simulation.costs[others].min(axis=0)
    would_pay = (saving > 0) & (saving >= gate.min_saving_share * simulation.costs[current])
    return float((~would_pay).mean())
