"""Regression trees as plain arrays: they lead where scikit-learn's do, and can be stored without running code."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.analysis.arrays import Floats

__all__ = ["Forest", "Nodes"]

Nodes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Forest:
    """All nodes of t trees, one tree after the other; `roots` [t].

    A row goes left when its `feature` is at most the `threshold`; `left` and `right` are nodes, a leaf's own one.
    """

    roots: Nodes
    feature: Nodes
    threshold: Floats
    left: Nodes
    right: Nodes

    @classmethod
    def of(cls, fitted: Any) -> "Forest":
        """The trees of a fitted forest of scikit-learn."""
        trees = [estimator.tree_ for estimator in fitted.estimators_]
        sizes = np.array([tree.node_count for tree in trees])
        roots = np.cumsum(sizes) - sizes
        own = np.arange(sizes.sum())
        first = np.repeat(roots, sizes)
        left, right = (
            np.concatenate([getattr(tree, f"children_{side}") for tree in trees]) for side in ("left", "right")
        )
        is_leaf = left < 0
        return cls(
            roots.astype(np.int32),
            np.where(is_leaf, 0, np.concatenate([tree.feature for tree in trees])).astype(np.int32),
            np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
            np.where(is_leaf, own, first + left).astype(np.int32),
            np.where(is_leaf, own, first + right).astype(np.int32),
        )

    def apply(self, features: Floats) -> Nodes:
        """The leaf [n, t] that each tree leads a row of `features` [n, f] to."""
        # The trees were grown on single precision.
        rounded = features.astype(np.float32)
        places = np.tile(self.roots, (len(features), 1))
        rows = np.arange(len(features))[:, None]
        while True:
            goes_left = rounded[rows, self.feature[places]] <= self.threshold[places]
            following = np.where(goes_left, self.left[places], self.right[places])
            if (following == places).all():
                return places
            places = following
