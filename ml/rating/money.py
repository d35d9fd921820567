"""Rounding to the coins of a currency, in one place, so that every line is rounded alike."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = ["EXACT", "exactly", "minor_unit", "round_money"]

# Wide enough for a quantity of 20 digits times a price of 20: a tie of half a cent stays a tie.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)

P = ParamSpec("P")
R = TypeVar("R")


def exactly(compute: Callable[P, R]) -> Callable[P, R]:
    """Run a function of money in the wide context, whatever precision its caller has set; not for generators."""

    @wraps(compute)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(EXACT):
            return compute(*args, **kwargs)

    return computed


# ISO 4217 lists two decimals for every other currency.
_BY_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_MINOR_UNITS = {currency: decimals for decimals, listed in _BY_DECIMALS.items() for currency in listed.split()}


def minor_unit(currency: str) -> int:
    """Number of decimals of a currency after ISO 4217, e.g. 2 for EUR and 0 for JPY."""
    return _MINOR_UNITS.get(currency, 2)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """The amount rounded half up (away from zero) to the currency's minor unit."""
    return amount.quantize(Decimal(1).scaleb(-minor_unit(currency)), context=EXACT)
