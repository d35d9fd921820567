"""A quantity may be rounded before it is priced: to whole minutes, say."""

from decimal import Decimal

from ml.rating.aggregations import round_quantity
from ml.rating.money import EXACT
from ml.rating.terms import QuantityRounding
from ml.rating.usage import Item, Usage

__all__ = ["rounded"]


def rounded(usage: Usage, rounding: QuantityRounding | None, per: int) -> Usage:
    """The usage as one item, its total rounded in priced units of `per` units of the meter; as it is without a rule."""
    if rounding is None:
        return usage
    priced = EXACT.divide(usage.quantity, Decimal(per))
    return Usage((Item(round_quantity(priced, rounding.how, rounding.precision) * per),))
