"""Which meters count the same usage: each is a set of cells, the smallest parts that any meter tells apart."""

from itertools import product

from ml.rating.meters import METERS, TIMES_OF_DAY

__all__ = ["Cell", "cells_of"]

Cell = tuple[str, ...]
"""The meters that count it beside the whole, e.g. business hours that are off-peak."""

CLASSES = {"api_calls": ("api_calls_standard", "api_calls_real_time", "api_calls_high_priority")}
"""Meters that are counted by class as well; what has no class is in the whole only."""


def cells_of(meter: str) -> frozenset[Cell]:
    """The cells that a meter counts; two meters with a cell in common count the same usage."""
    return _CELLS[meter]


def _cells() -> dict[str, frozenset[Cell]]:
    cells: dict[str, frozenset[Cell]] = {meter: frozenset({(meter,)}) for meter in METERS}
    for whole, splits in TIMES_OF_DAY.items():
        every = list(product(*(split.values() for split in splits)))
        parts = {part for split in splits for part in split.values()}
        cells[whole] = frozenset(every)
        cells |= {part: frozenset(cell for cell in every if part in cell) for part in parts}
    for whole, classes in CLASSES.items():
        cells[whole] = frozenset({(whole,), *((name,) for name in classes)})
    return cells


_CELLS = _cells()
