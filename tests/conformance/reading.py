"""Read what cases say: numbers exactly, and nothing that nobody would look at."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

__all__ = ["Unsupported", "decimal", "decimals", "fraction_sum", "number", "only"]


class Unsupported(Exception):
    """A case that the engine can't express; the text says why."""


def only(what: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse a case that says something which would be passed over."""
    if strange := sorted(given.keys() - set(known)):
        raise Unsupported(f"{what} has {', '.join(strange)}, which nothing here reads")


def decimal(value: Any, default: str = "0") -> Decimal:
    """A number of a case; None and absent mean the default."""
    return Decimal(str(default if value is None else value))


def decimals(values: Any) -> list[Decimal]:
    """Numbers of a case."""
    return [decimal(value) for value in values]


def number(value: Any) -> Fraction:
    """Any number, exactly."""
    return value if isinstance(value, Fraction) else Fraction(Decimal(str(value)))


def fraction_sum(text: str) -> Fraction:
    """A sum of fractions as cases write it, such as 14/31+1+12/28."""
    return sum((Fraction(part.strip()) for part in text.split("+")), Fraction(0))
