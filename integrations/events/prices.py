"""What the loader asks of whoever knows prices, since it must not know them itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PriceReader", "Terms"]

Terms = Mapping[str, Any]


@dataclass(frozen=True)
class PriceReader:
    """Reads price terms.

    Attributes:
        plans: the terms of every plan in a catalogue, by its text and the name of its source; a ValueError names what
            is wrong with it.
        problems: what a subscription can't add to a plan, as sentences; by the plan's terms and the subscription's
            billing_interval, add_ons and overrides.
    """

    plans: Callable[[str, str], Iterable[Terms]]
    problems: Callable[[Terms, Terms], Iterable[str]]
