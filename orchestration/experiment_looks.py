"""Looks as rows of their table, and back."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from ml.experiments.effect import Outcomes, estimate
from ml.experiments.looks import Look

__all__ = ["look_row", "looks_before"]

LOOKS = """
    select step, count_a, count_b, information_fraction, sample_ratio_p_value, is_final, outcome
    from ml.experiment_looks where experiment_id = %s order by number
"""


def looks_before(connection: Connection, experiment_id: int) -> list[Look]:
    """The looks that were taken, with all that the next one depends on."""
    rows = connection.execute(LOOKS, [experiment_id]).fetchall()
    return [
        Look(step, (count_a, count_b), fraction, float(ratio_p), is_final, outcome)
        for step, count_a, count_b, fraction, ratio_p, is_final, outcome in rows
    ]


def look_row(taken: Look, outcomes: Mapping[str, Outcomes]) -> dict[str, Any]:
    """The look, with the results of all metrics if it was read; p-values have 6 digits."""
    low, high = taken.interval or (None, None)
    return {
        "step": taken.step,
        "count_a": taken.counts[0],
        "count_b": taken.counts[1],
        "information_fraction": taken.fraction,
        "sample_ratio_p_value": round(taken.sample_ratio_p_value, 6),
        "is_final": taken.is_final,
        "outcome": taken.outcome,
        "effect": taken.effect.value if taken.effect else None,
        "effect_low": low,
        "effect_high": high,
        "p_value": round(taken.effect.p_value, 6) if taken.effect else None,
        "stop_at": None if taken.stop_at is None else round(taken.stop_at, 6),
        "results": []
        if taken.stop_at is None
        else [_result(metric, found.counted(), taken.stop_at) for metric, found in outcomes.items()],
    }


def _result(metric: str, counted: Outcomes, level: float) -> dict[str, Any]:
    """One metric: sums by arm, and the difference with an interval of the same level as the first metric's."""
    effect = estimate(counted) if all(counted.counts) else None
    low, high = effect.interval(level) if effect else (None, None)
    arms = {
        arm: {
            "companies": int(chosen.sum()),
            "numerator": float(counted.numerator[chosen].sum()),
            "denominator": float(counted.denominator[chosen].sum()),
        }
        for arm, chosen in (("a", ~counted.is_b), ("b", counted.is_b))
    }
    return {"metric": metric, **arms, "effect": effect.value if effect else None, "low": low, "high": high}
