"""Flat: one amount per period, whatever is used, or as soon as anything is."""

from decimal import Decimal
from typing import Literal

from ml.rating.charges.curve import ONE, Curve, curve, jump
from ml.rating.steps import Step
from ml.rating.terms import Amount, ChargeTerms
from ml.rating.usage import Usage

__all__ = ["Flat", "breakdown", "curve_of"]


class Flat(ChargeTerms):
    """`amount` per billing period, `due` always or when_used."""

    model: Literal["flat"] = "flat"
    amount: Amount
    due: Literal["always", "when_used"] = "always"

    scales = ("amount",)


def breakdown(charge: Flat, usage: Usage) -> tuple[Step, ...]:
    """The quantity at no price, and the amount if it is due."""
    quantity = usage.quantity
    is_due = charge.due == "always" or quantity > 0
    return (Step(quantity, Decimal(0), charge.per, charge.amount if is_due else Decimal(0)),)


def curve_of(charge: Flat) -> Curve:
    """Float twin of `breakdown`."""
    return curve([(ONE, float(charge.amount)) if charge.due == "always" else jump(0, charge.amount)])
