"""Array idioms that the analysis shares: division without warnings, JSON-safe lists."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Bools", "Floats", "Ints", "as_json_list", "only_where", "ratio", "shares"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike, otherwise: float = np.nan) -> Floats:
    """`numerator / denominator`, element by element; `otherwise` where the denominator isn't positive."""
    top, bottom = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    out = np.full(top.shape, otherwise, dtype=np.float64)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def shares(totals: Floats) -> Floats:
    """Rows of `totals` [c, m] divided by their sum; a row without usage is all NaN."""
    return ratio(totals, totals.sum(axis=1, keepdims=True))


def as_json_list(values: Floats, decimals: int | None = None) -> list[Any]:
    """Nested lists of Python floats, NaN as None, rounded where `decimals` is given."""
    rounded = values if decimals is None else np.round(values, decimals)
    unknown = np.isnan(rounded)
    if not unknown.any():
        return list(rounded.tolist())
    boxed = rounded.astype(object)
    boxed[unknown] = None
    return list(boxed.tolist())


def only_where(mask: Bools, values: npt.NDArray[Any]) -> list[Any]:
    """Rows of `values` [c, ...] as JSON values, None where `mask` [c] is False."""
    return [row if known else None for row, known in zip(values.tolist(), mask.tolist(), strict=True)]
