"""Compare what a case expects with what the engine computes; a case is known by its model, never by its id."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from ml.rating.money import EXACT
from tests.conformance import models
from tests.conformance.reading import Unsupported, number

__all__ = ["Outcome", "load_cases", "run_cases", "summary"]

Case = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of one case; `reason` says why it failed or is not supported."""

    case_id: str
    verdict: Literal["passed", "failed", "unsupported"]
    reason: str = ""


def load_cases(path: Path) -> list[Case]:
    """The cases of a file.

    Raises:
        ValueError: when it is not a JSON list of cases with a model and expected values.
    """
    cases = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(cases, list) or not all(
        isinstance(case, dict) and {"id", "model", "usage", "expected"} <= case.keys() for case in cases
    ):
        raise ValueError("a file of cases is a list of objects with id, model, params, usage and expected")
    return cases


def run_cases(cases: Iterable[Case]) -> list[Outcome]:
    """The outcome of each case, in order."""
    return [run_case(case) for case in cases]


def run_case(case: Case) -> Outcome:
    """Whether the engine computes every value that the case expects."""
    try:
        computed = models.compute(case["model"], case.get("params") or {}, case["usage"], case["expected"].keys())
        wrong = list(_differences(case, computed))
    except Unsupported as reason:
        return Outcome(case["id"], "unsupported", str(reason))
    except (ArithmeticError, AssertionError, KeyError, TypeError, ValueError) as error:
        return Outcome(case["id"], "failed", f"{type(error).__name__}: {error}")
    return Outcome(case["id"], "failed", "; ".join(wrong)) if wrong else Outcome(case["id"], "passed")


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A line for each case that did not pass, and last how many did."""
    for outcome in outcomes:
        if outcome.verdict != "passed":
            yield f"{outcome.case_id} {outcome.verdict}: {outcome.reason}"
    counts = Counter(outcome.verdict for outcome in outcomes)
    yield ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("passed", "failed", "unsupported"))


def _differences(case: Case, computed: Mapping[str, Any]) -> Iterator[str]:
    params = case.get("params") or {}
    for name, expected in case["expected"].items():
        if name not in computed:
            raise Unsupported(f"nothing here computes {name} of {case['model']}")
        if not _equal(computed[name], expected, {} if name == "precise" else params):
            yield f"{name} is {_shown(computed[name])}, expected {_shown(expected)}"


def _equal(found: Any, expected: Any, params: Mapping[str, Any]) -> bool:
    if isinstance(expected, list):
        return len(found) == len(expected) and all(
            _equal(one, other, params) for one, other in zip(found, expected, strict=True)
        )
    exact, wanted = number(found), number(expected)
    if "round_to" in params:
        return _rounded(exact, int(params["round_to"]), ROUND_HALF_UP) == wanted
    if "ceil_to" in params:
        return _rounded(exact, int(params["ceil_to"]), ROUND_CEILING) == wanted
    # A figure that has no end in decimals was written down as the nearest float.
    return exact == wanted or (_is_endless(exact) and float(exact) == float(wanted))


def _rounded(value: Fraction, digits: int, rounding: str) -> Fraction:
    step = Fraction(10) ** -digits
    whole = value / step
    decimal = EXACT.divide(Decimal(whole.numerator), Decimal(whole.denominator))
    return Fraction(decimal.to_integral_value(rounding)) * step


def _is_endless(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest != 1 or len(str(value.denominator)) > 20


def _shown(value: Any) -> str:
    return f"[{', '.join(map(_shown, value))}]" if isinstance(value, list | tuple) else str(value)
