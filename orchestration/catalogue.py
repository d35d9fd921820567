"""Hand the rating engine's catalogue reader to the loader, which must not know it."""

from collections.abc import Iterable, Mapping
from typing import Any


def parse_plans(text: str, source: str) -> Iterable[Mapping[str, Any]]:
    """The terms of every plan in a catalogue.

    Raises:
        CatalogueError: a ValueError that names every fault.
    """
    from ml.rating.catalogue import load_catalogue

    return [plan.terms() for plan in load_catalogue(text, source)]
