"""Chunks of companies of bounded size, so that memory grows neither with the companies nor with one long window."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ml.analysis.arrays import Ints
from ml.analysis.cube import UsageCube, usage_cube
from ml.analysis.windows import read_windows, require_columns

__all__ = ["CHUNK_DAYS", "usage_chunks"]

CHUNK_DAYS = 32_768
"""Company days of a chunk: 1,170 companies of 28 days, or 8 of ten years. A cube takes 960 bytes for each."""


def usage_chunks(hourly: pd.DataFrame, windows: pd.DataFrame) -> Iterator[tuple[Ints, UsageCube]]:
    """Cubes of up to CHUNK_DAYS company days (or one company), each with its companies' places in `windows` [c].

    Windows of like length share a cube, so that one of ten years makes none of two weeks larger. Without
    companies there is one cube without any. Raises what `cube.usage_cube` does.
    """
    lengths = read_windows(windows).lengths
    require_columns(hourly, "hourly", ("company_id",))
    order = np.argsort(lengths, kind="stable")
    ends = _ends(lengths[order])
    if len(ends) == 1:
        yield np.arange(len(lengths)), usage_cube(hourly, windows)
        return
    chunk = np.empty(len(lengths), dtype=np.int64)
    chunk[order] = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    companies = pd.Index(windows["company_id"]).get_indexer(pd.Index(hourly["company_id"]))
    of_row = chunk[companies]  # a row of no company, at place -1, falls to any chunk, which leaves it out
    if (of_row[1:] < of_row[:-1]).any():
        rows = np.argsort(of_row, kind="stable")
        hourly, of_row = hourly.iloc[rows], of_row[rows]
    row_ends = np.searchsorted(of_row, np.arange(len(ends)), side="right")
    for number, (first_row, last_row) in enumerate(zip([0, *row_ends[:-1]], row_ends, strict=True)):
        places = np.flatnonzero(chunk == number)
        yield places, usage_cube(hourly.iloc[first_row:last_row], windows.iloc[places])


def _ends(lengths: Ints) -> Ints:
    """Where each chunk of `lengths` [c], ascending, ends; a chunk has one company at least."""
    ends = [0]
    while ends[-1] < len(lengths):
        rest = lengths[ends[-1] :]
        ends.append(ends[-1] + max(1, int((np.arange(1, len(rest) + 1) * rest <= CHUNK_DAYS).sum())))
    return np.array(ends[1:] or [0])
