"""Frames as Markdown, for the metadata of assets."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from integrations.markdown import table


def as_markdown(frame: pd.DataFrame, formats: Mapping[str, str] | None = None) -> str:
    """The columns that `formats` names, each in its format; without it all columns, floats with three digits.

    What is not known is left empty.
    """
    shown = formats if formats is not None else dict.fromkeys(map(str, frame.columns), "")
    rows = ([_cell(row[name], pattern) for name, pattern in shown.items()] for row in frame.to_dict("records"))
    return table(list(shown), rows)


def _cell(value: Any, pattern: str) -> str:
    if pd.isna(value):
        return ""
    return (pattern or ("{:.3f}" if isinstance(value, float) else "{}")).format(value)
