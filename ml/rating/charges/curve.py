"""A charge as a sum of simple functions of one quantity: what simulations evaluate for many plans at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

__all__ = ["ONE", "Curve", "Feature", "NoTwinError", "curve", "hinge", "jump"]


class NoTwinError(ValueError):
    """A price that depends on more than a period's total, so that no scenario of totals tells what it costs."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A function of the quantity q, in units of the meter.

    one: 1. hinge: max(q - at, 0). jump: 1 if q > at, else 0. up, down and nearest: the number of packages of `size`
    that max(q - at, 0) fills, rounded that way.
    """

    kind: Literal["one", "hinge", "jump", "up", "down", "nearest"]
    at: float = 0.0
    size: float = 1.0


Curve = tuple[tuple[Feature, float], ...]
"""Features with their coefficients; their weighted sum is the unrounded cost."""

ONE = Feature("one")


def hinge(at: Decimal | int, coefficient: Decimal) -> tuple[Feature, float]:
    """`coefficient` for each unit above `at`."""
    return Feature("hinge", float(at)), float(coefficient)


def jump(at: Decimal | int, coefficient: Decimal) -> tuple[Feature, float]:
    """`coefficient` as soon as the quantity lies above `at`."""
    return Feature("jump", float(at)), float(coefficient)


def curve(parts: Iterable[tuple[Feature, float]]) -> Curve:
    """The parts that are not nothing."""
    return tuple((feature, coefficient) for feature, coefficient in parts if coefficient)
