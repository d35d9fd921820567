"""Analogues as plain arrays in NumPy's own format: they see what they saw, and run no code when read."""

from collections.abc import Sequence
from dataclasses import fields
from io import BytesIO

import numpy as np

from ml.rating.plan import Plan
from ml.recommendation.choosers.analogues import Analogues
from ml.recommendation.choosers.forest import Forest
from ml.recommendation.options import plan_id

__all__ = ["pack", "unpack"]

ARRAYS = ("members", "first", "size", "relative", "drift")


def pack(analogues: Analogues) -> bytes:
    """All that the scenarios hang on; plans by key and version. The same analogues give the same bytes."""
    keys, versions = zip(*map(plan_id, analogues.plans), strict=True)
    arrays = {"plan_keys": np.array(keys), "plan_versions": np.array(versions)}
    arrays |= {name: getattr(analogues, name) for name in ARRAYS}
    arrays |= {f"forest.{field.name}": getattr(analogues.forest, field.name) for field in fields(Forest)}
    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack(content: bytes, plans: Sequence[Plan]) -> Analogues:
    """The analogues again; `plans` is a catalogue that holds all of theirs.

    Raises:
        KeyError: for a plan that it lacks.
    """
    with np.load(BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    by_id = {plan_id(plan): plan for plan in plans}
    chosen = zip(arrays["plan_keys"].tolist(), arrays["plan_versions"].tolist(), strict=True)
    return Analogues(
        plans=tuple(by_id[key] for key in chosen),
        forest=Forest(**{field.name: arrays[f"forest.{field.name}"] for field in fields(Forest)}),
        **{name: arrays[name] for name in ARRAYS},
    )
