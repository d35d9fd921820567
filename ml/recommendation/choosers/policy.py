"""Which way of choosing to trust, how sure it is, and when a change is worth it: decided by earlier origins."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

import numpy as np

from ml.analysis.arrays import Bools, Floats, ratio
from ml.recommendation.choosers.calibration import Calibration
from ml.recommendation.choosers.outcomes import ANALOGUES, FAMILIES, LAST_MONTH, NOISE, SCENARIOS, Origin, is_cheaper
from ml.recommendation.gate import DEFAULT_GATE, Gate

__all__ = ["HARM", "MOST_HARM", "Policy", "is_harmed", "learn_policy", "passes", "trade_off"]

PRIOR_LOSS = {LAST_MONTH: 1.0, SCENARIOS: 0.99, ANALOGUES: 0.93}
"""Regret relative to that of the cheapest plan on last month, as assumed before any origin is over."""
PRIOR_ORIGINS = 2
HARM = 0.01
"""A change did harm where it cost more than this share above staying."""
MOST_HARM = 0.04
"""Share of all cases that a gate may harm on earlier origins; the promise is 5 %, and the future is not the past."""
PROBABILITIES = np.round(np.arange(0.4, 0.96, 0.05), 2)
SAVING_SHARES = (0.0, 0.02, 0.05, 0.1, 0.2)
FEWEST_SWITCHES = 50
"""Changes that must have been seen before a gate is chosen by them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How plans are chosen for cases of one kind.

    `family`: the way of choosing; `losses`: the regret of each family so far, relative to that of the cheapest plan on
    last month; `calibration` of its shares; `gate`: the bounds of a change; `count_cases`, `count_origins` that
    taught it.
    """

    family: str = SCENARIOS
    calibration: Calibration = field(default_factory=Calibration)
    gate: Gate = DEFAULT_GATE
    losses: Mapping[str, float] = field(default_factory=lambda: dict(PRIOR_LOSS))
    count_cases: int = 0
    count_origins: int = 0

    def as_json(self) -> dict[str, Any]:
        """JSON-safe; `Policy.of` reads it."""
        return asdict(self) | {"calibration": self.calibration.as_json()}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Policy":
        """From what `as_json` gave."""
        read = {"calibration": Calibration.of(stored["calibration"]), "gate": Gate(**stored["gate"])}
        return cls(**{**stored, **read})


def learn_policy(origins: Sequence[Origin], available: Sequence[str] = FAMILIES) -> Policy:
    """From origins of the past, all of whose horizons are over; without any, what is assumed.

    The family with the least regret so far wins ("follow the leader"), a few assumed origins counting too. Its shares
    are calibrated on the changes it would have advised. Of all gates that would have harmed at most MOST_HARM of the
    cases, the one with the least regret is taken.
    """
    losses = {name: _loss(origins, name) for name in FAMILIES if name in available}
    family = min(losses, key=lambda name: losses[name])
    tried = [origin for origin in origins if family in origin.trials]
    if not tried:
        return Policy(family, losses=losses)
    changed = np.concatenate([_changes(origin, family) for origin in tried])
    raw = np.concatenate([origin.trials[family].raw for origin in tried])
    moved = np.concatenate([origin.cost(origin.trials[family].chosen) for origin in tried])
    stayed = np.concatenate([origin.stay for origin in tried])
    times = np.repeat(np.arange(len(tried)), [len(origin.rows) for origin in tried])
    calibration = Calibration.learn(raw[changed], is_cheaper(moved, stayed)[changed], times[changed])
    gates = trade_off(tried, family, calibration)
    gate = _best_gate(gates) if changed.sum() >= FEWEST_SWITCHES else DEFAULT_GATE
    return Policy(family, calibration, gate, losses, len(raw), len(tried))


def passes(gate: Gate, saving_share: Floats, probability: Floats) -> Bools:
    """Which changes [n] the gate lets through."""
    found: Bools = (saving_share.round(9) >= gate.min_saving_share) & (probability.round(9) >= gate.min_probability)
    return found


def is_harmed(cost: Floats, staying: Floats) -> Bools:
    """Who [n] pays more than HARM above what staying would have cost."""
    found: Bools = cost > staying * (1 + HARM) + NOISE
    return found


def trade_off(origins: Sequence[Origin], family: str, calibration: Calibration) -> list[dict[str, float]]:
    """Per gate: min_saving_share, min_probability, regret_share (of the best cost), harmed_share, switch_share."""
    joined = [np.concatenate(part) for part in zip(*(_gated(origin, family) for origin in origins), strict=True)]
    changed, saving, raw, moved, stayed, best = joined
    probability, total = calibration(raw), max(float(best.sum()), 1e-9)
    rows = []
    for least, odds in product(SAVING_SHARES, PROBABILITIES.tolist()):
        let_through = changed.astype(bool) & passes(Gate(least, odds), saving, probability)
        cost = np.where(let_through, moved, stayed)
        rows.append(
            {
                "min_saving_share": least,
                "min_probability": odds,
                "regret_share": float((cost - best).sum()) / total,
                "harmed_share": float(is_harmed(cost, stayed).mean()),
                "switch_share": float(let_through.mean()),
            }
        )
    return rows


def _best_gate(rows: list[dict[str, float]]) -> Gate:
    """The least regret within the bound on harm; the strictest gate where none keeps it."""
    kept = [row for row in rows if row["harmed_share"] <= MOST_HARM]
    chosen = min(kept, key=lambda row: row["regret_share"]) if kept else rows[-1]
    return Gate(chosen["min_saving_share"], chosen["min_probability"])


def _changes(origin: Origin, family: str) -> Bools:
    found: Bools = origin.trials[family].chosen != origin.held
    return found


def _gated(origin: Origin, family: str) -> tuple[Floats, ...]:
    trial = origin.trials[family]
    return (
        _changes(origin, family).astype(np.float64),
        trial.saving_share,
        trial.raw,
        origin.cost(trial.chosen),
        origin.stay,
        origin.best,
    )


def _loss(origins: Sequence[Origin], family: str) -> float:
    """Mean over origins of the regret relative to that of the cheapest plan on last month."""
    seen = [
        float(ratio(_regret(origin, family), _regret(origin, LAST_MONTH), otherwise=1))
        for origin in origins
        if family in origin.trials
    ]
    return (sum(seen) + PRIOR_ORIGINS * PRIOR_LOSS[family]) / (len(seen) + PRIOR_ORIGINS)


def _regret(origin: Origin, family: str) -> float:
    return float((origin.cost(origin.trials[family].chosen) - origin.best).sum())
