"""What each kind of case asks, in the terms of `ml.rating`: one function per kind, found by the case's model."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from tests.conformance import aggregations, charges, credits, periods, plans
from tests.conformance.reading import Unsupported

__all__ = ["compute"]

Values = Mapping[str, Any]
UNSUPPORTED = {
    "killbill_all_tiers": "tiers as widths in blocks are not sold; a tier's bound is cumulative",
    "killbill_top_tier": "tiers as widths in blocks are not sold; a tier's bound is cumulative",
    "killbill_all_tiers_multi": "tiers as widths in blocks are not sold; a tier's bound is cumulative",
    "killbill_top_tier_multi": "tiers as widths in blocks are not sold; a tier's bound is cumulative",
    "capacity_tier": "a plan that several meters choose together is not sold; limits belong to a plan",
}
KINDS: dict[str, Callable[[Values, Values], Values]] = {
    **aggregations.KINDS,
    **credits.KINDS,
    **periods.KINDS,
    **plans.KINDS,
}


def compute(model: str, params: Values, usage: Values, expected: Collection[str]) -> Values:
    """The values of a case under the names that it expects.

    Raises:
        Unsupported: when the engine can't express it, or when it says something that nothing here reads.
    """
    if model in UNSUPPORTED:
        raise Unsupported(UNSUPPORTED[model])
    if model in KINDS:
        return KINDS[model](params, usage)
    return charges.compute(model, params, usage, expected)
