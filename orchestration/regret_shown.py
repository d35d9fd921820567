"""Figures of replayed recommendations as tables and a picture in the metadata of their asset."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pandas as pd

from ml.evaluation.replayed_figures import compare_choosers, told_and_seen
from orchestration import plots, tables

SHARE, AMOUNT, PROBABILITY, COUNT = "{:.1%}", "{:,.2f}", "{:.2f}", "{:,.0f}"
COMPARED: Mapping[str, str] = {
    "currency": "{}",
    "group": "{}",
    "chooser": "{}",
    "cases": COUNT,
    "switches": COUNT,
    "regret_share": SHARE,
    "mean_regret": AMOUNT,
    "p90_regret": AMOUNT,
    "captured_share": SHARE,
    "harmed_share": SHARE,
}
RELIABILITY: Mapping[str, str] = {
    "action": "{}",
    "decile": "{}",
    "recommendations": COUNT,
    "mean_probability": PROBABILITY,
    "observed_frequency": PROBABILITY,
}


def shown(replayed: pd.DataFrame) -> dict[str, Any]:
    """Metadata: the choosers beside each other, what was told and what was seen, and a picture of the regret in the
    currency of most of them."""
    if replayed.empty:
        return {}
    compared = compare_choosers(replayed)
    largest = replayed["currency"].value_counts().index[0]
    picture = plots.regret_bars(compared[compared["currency"] == largest])
    bars = plots.as_markdown(picture, f"Regret by way of choosing, {largest}")
    return {
        "regret": dg.MetadataValue.md(bars),
        "figures": dg.MetadataValue.md(tables.as_markdown(compared, COMPARED)),
        "reliability": dg.MetadataValue.md(tables.as_markdown(told_and_seen(replayed), RELIABILITY)),
    }
