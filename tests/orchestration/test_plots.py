"""Pictures that decode, are small, and say what there is to say even without data."""

import struct
import sys
import zlib
from base64 import b64decode

import numpy as np
import pandas as pd
import pytest

from orchestration.plots import accuracy_bars, as_markdown, forecast_fan, regret_bars, usage_heatmap

RANDOM = np.random.default_rng(0)
DAYS = np.linspace(80, 120, 30)
ACCURACY = pd.DataFrame(
    [
        {"history_days": days, "model": model, "wape": RANDOM.uniform(0.1, 0.5)}
        for days in (7, 14, 28, 90)
        for model in ("level", "weekday", "seasonal_naive", "auto_ets")
    ]
)
COMPARED = pd.DataFrame(
    [
        {"currency": "EUR", "group": group, "chooser": chooser, "regret_share": RANDOM.uniform(0, 0.2), "cases": 40}
        for group in ("all", "initial", "under 28 days")
        for chooser in ("recommended", "stay", "last_month", "best_single_plan")
    ]
)
EMPTY = np.zeros(0)
FIGURES = {
    "heatmap": lambda: usage_heatmap(RANDOM.poisson(40, (7, 24))),
    "heatmap of nothing": lambda: usage_heatmap(np.zeros((7, 24))),
    "fan": lambda: forecast_fan(RANDOM.poisson(100, 90), DAYS * 0.7, DAYS, DAYS * 1.4, "2026-10-15", "acme: calls"),
    "fan without a past": lambda: forecast_fan(EMPTY, DAYS, DAYS, DAYS, "2026-10-15", "a"),
    "fan of nothing": lambda: forecast_fan(EMPTY, EMPTY, EMPTY, EMPTY, "2026-10-15", "a"),
    "fan of unknowns": lambda: forecast_fan([np.nan] * 7, *[[np.nan] * 7] * 3, "2026-10-15", "a"),
    "bars": lambda: accuracy_bars(ACCURACY),
    "bars with gaps": lambda: accuracy_bars(ACCURACY.assign(wape=ACCURACY["wape"].where(ACCURACY.index != 3))),
    "bars of nothing": lambda: accuracy_bars(ACCURACY.iloc[:0]),
    "regret": lambda: regret_bars(COMPARED),
    "regret without a chooser": lambda: regret_bars(COMPARED[COMPARED.index != 5]),
    "regret of nothing that costs": lambda: regret_bars(COMPARED.assign(regret_share=np.nan)),
    "bars of unknowns": lambda: accuracy_bars(ACCURACY.assign(wape=np.nan)),
}


def decoded(png: bytes) -> np.ndarray:
    """The scan lines of an RGBA image, whose checksums are right."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data, size = 8, b"", (0, 0)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + content) == struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0]
        size = struct.unpack(">II", content[:8]) if kind == b"IHDR" else size
        data += content if kind == b"IDAT" else b""
        at += 12 + length
    return np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(size[1], 1 + 4 * size[0])


@pytest.mark.parametrize("figure", FIGURES)
def test_a_picture_decodes_and_is_small(figure):
    png = FIGURES[figure]()
    assert decoded(png).shape == (300, 1 + 4 * 720)
    assert len(png) < 60_000


def test_a_picture_is_drawn_without_a_state_that_grows():
    usage_heatmap(np.ones((7, 24)))
    assert "matplotlib.pyplot" not in sys.modules


def test_data_changes_the_picture():
    calls = np.zeros((7, 24))
    calls[2, 9] = 5
    assert usage_heatmap(calls) != usage_heatmap(np.zeros((7, 24)))


def test_a_fan_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match="30, 29 and 30 days"):
        forecast_fan(EMPTY, DAYS, DAYS[1:], DAYS, "2026-10-15", "a")


def test_the_markdown_holds_the_picture_itself():
    text = as_markdown(b"\x89PNG", "Calls")
    assert text.startswith("![Calls](data:image/png;base64,")
    assert b64decode(text.split(",")[1].rstrip(")")) == b"\x89PNG"
