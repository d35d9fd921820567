"""Forecast models as plain arrays in NumPy's own format: they forecast what they did, and run no code when read."""

from dataclasses import dataclass, fields
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.analysis.arrays import Floats, Ints
from ml.analysis.forecasting.errors import ErrorLibrary
from ml.analysis.forecasting.learning import POOLED_MODEL, ForecastModel
from ml.analysis.forecasting.pool import Pool
from ml.analysis.forecasting.pooled import PooledRegression

__all__ = ["StoredTrees", "pack", "unpack"]

Arrays = dict[str, npt.NDArray[Any]]
PLAIN = ("weights", "chosen", "count_windows")
"""Fields of a model that are no parts with fields of their own."""


@dataclass(frozen=True, slots=True)
class StoredTrees:
    """Regression trees that predict what scikit-learn's histogram gradient boosting does, to the last digit.

    All nodes [n] of all trees, one after the other; `roots` [t]. A row goes left when its `feature` is at most the
    `threshold`, or is missing and `missing_left`; `left` and `right` are places in the arrays, a leaf's own one. The
    prediction is `baseline` + the `value` of the leaves, added up in the order of the trees.
    """

    baseline: Floats
    roots: Ints
    feature: Ints
    threshold: Floats
    missing_left: npt.NDArray[np.bool_]
    left: Ints
    right: Ints
    value: Floats

    @classmethod
    def of(cls, trees: Any) -> "StoredTrees":
        """Those of a fitted HistGradientBoostingRegressor with numerical features."""
        nodes = [predictor.nodes for (predictor,) in trees._predictors]
        sizes = np.array([len(tree) for tree in nodes], dtype=np.int64)
        roots = np.cumsum(sizes) - sizes
        every = np.concatenate(nodes)
        first, own = np.repeat(roots, sizes), np.arange(len(every))
        is_leaf = every["is_leaf"].astype(bool)
        return cls(
            np.asarray(trees._baseline_prediction, dtype=np.float64).reshape(1),
            roots,
            every["feature_idx"].astype(np.int64),
            every["num_threshold"].astype(np.float64),
            every["missing_go_to_left"].astype(bool),
            np.where(is_leaf, own, first + every["left"]),
            np.where(is_leaf, own, first + every["right"]),
            every["value"].astype(np.float64),
        )

    def predict(self, features: Floats) -> Floats:
        """Predictions [r] of features [r, f]."""
        places = np.tile(self.roots, (len(features), 1))
        rows = np.arange(len(features))[:, None]
        while True:
            asked = features[rows, self.feature[places]]
            goes_left = np.where(np.isnan(asked), self.missing_left[places], asked <= self.threshold[places])
            following = np.where(goes_left, self.left[places], self.right[places])
            if (following == places).all():
                break
            places = following
        steps = np.concatenate([np.tile(self.baseline, (len(features), 1)), self.value[places]], axis=1)
        # A running sum, since a sum in pairs would differ in its last digits.
        return np.asarray(np.cumsum(steps, axis=1)[:, -1])


def pack(model: ForecastModel) -> bytes:
    """All that the model's forecasts hang on; of the two that competed only the chosen one.

    The same model gives the same bytes.
    """
    parts: dict[str, Any] = {"pool": model.pool, "library": model.library}
    if model.chosen == POOLED_MODEL and model.regression is not None:
        trees = model.regression.trees
        parts["trees"] = trees if isinstance(trees, StoredTrees) else StoredTrees.of(trees)
    arrays = {name: np.asarray(getattr(model, name)) for name in PLAIN}
    for part, value in parts.items():
        arrays |= {f"{part}.{field.name}": np.asarray(getattr(value, field.name)) for field in fields(value)}
    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack(content: bytes) -> ForecastModel:
    """The model again.

    Raises:
        ValueError: when the content is none.
    """
    with np.load(BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    trees = _part(StoredTrees, "trees", arrays) if "trees.roots" in arrays else None
    return ForecastModel(
        _part(Pool, "pool", arrays),
        library=_part(ErrorLibrary, "library", arrays),
        regression=PooledRegression(trees) if trees else None,
        **{name: _plain(arrays[name]) for name in PLAIN},
    )


def _part(kind: type[Any], part: str, arrays: Arrays) -> Any:
    return kind(**{field.name: _plain(arrays[f"{part}.{field.name}"]) for field in fields(kind)})


def _plain(array: npt.NDArray[Any]) -> Any:
    """A scalar where the field had one."""
    return array.item() if array.ndim == 0 else array
