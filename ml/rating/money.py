"""Rounding to the coins of a currency, in one place, so that every line is rounded alike."""

from decimal import ROUND_HALF_UP, Context, Decimal

__all__ = ["EXACT", "minor_unit", "round_money"]

# Wide enough for a quantity of 20 digits times a price of 20: a tie of half a cent stays a tie.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)

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
