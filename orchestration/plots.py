"""Small pictures for the metadata of assets: the usage of all, what is expected of it, and how far off that was."""

from base64 import b64encode
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
INCHES, DOTS_PER_INCH = (7.2, 3.0), 100
LEGEND: dict[str, Any] = {"loc": "outside upper right", "ncols": 5, "fontsize": "small", "frameon": False}
Floats = npt.NDArray[np.float64]


def as_markdown(png: bytes, text: str) -> str:
    """An image that lies in the text itself; `text` is shown where images are not."""
    return f"![{text}](data:image/png;base64,{b64encode(png).decode()})"


def usage_heatmap(calls: npt.NDArray[Any]) -> bytes:
    """PNG of `calls` [7, 24] by weekday (0 = Monday) and local hour."""
    figure, axes = _axes("Calls by weekday and local hour")
    image = axes.imshow(calls, aspect="auto", cmap="Blues", vmin=0, vmax=max(float(np.max(calls, initial=0)), 1.0))
    axes.set_yticks(range(7), WEEKDAYS)
    axes.set_xticks(range(0, 24, 3), [f"{hour:02}:00" for hour in range(0, 24, 3)])
    figure.colorbar(image, ax=axes, pad=0.02)
    return _png(figure, is_empty=not np.any(calls))


def forecast_fan(
    history: npt.ArrayLike, p10: npt.ArrayLike, p50: npt.ArrayLike, p90: npt.ArrayLike, start: Any, title: str
) -> bytes:
    """PNG of daily quantities before the date `start`, and of those expected from it on with their 80 % range.

    The history ends on the day before `start`. Raises ValueError unless the three forecasts are of equal length.
    """
    past, low, middle, high = (np.asarray(values, dtype=np.float64) for values in (history, p10, p50, p90))
    if not len(low) == len(middle) == len(high):
        raise ValueError(f"p10, p50 and p90 have {len(low)}, {len(middle)} and {len(high)} days; give as many of each.")
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    figure, axes = _axes(title)
    first = np.datetime64(start, "D")
    before, after = first + np.arange(-len(past), 0), first + np.arange(len(middle))
    axes.plot(before, past, color="black", linewidth=1, label="usage")
    axes.fill_between(after, low, high, color="tab:blue", alpha=0.25, linewidth=0, label="p10 to p90")
    axes.plot(after, middle, color="tab:blue", linewidth=1.5, label="p50")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(ticks := AutoDateLocator(maxticks=8))
    axes.xaxis.set_major_formatter(ConciseDateFormatter(ticks))
    figure.legend(**LEGEND)
    return _png(figure, is_empty=not np.isfinite(np.concatenate([past, middle])).any())


def regret_bars(compared: pd.DataFrame) -> bytes:
    """PNG of `regret_share` by `group`, with one bar for each `chooser`; a pair without a figure has no bar."""
    table = compared.pivot_table(index="group", columns="chooser", values="regret_share", sort=False)
    return _bars("Regret by way of choosing (share of the best cost, less is better)", table)


def accuracy_bars(accuracy: pd.DataFrame) -> bytes:
    """PNG of `wape` by `history_days`, with one bar for each `model`; a pair without a figure has no bar."""
    table = accuracy.pivot_table(index="history_days", columns="model", values="wape", aggfunc="mean")
    return _bars("Error by days of history (WAPE, less is better)", table.rename(index=lambda days: f"{days} days"))


def _bars(title: str, table: pd.DataFrame) -> bytes:
    """PNG of shares: a group of bars for each row, with one bar for each column."""
    figure, axes = _axes(title)
    width = 0.8 / max(len(table.columns), 1)
    for position, name in enumerate(table.columns):
        axes.bar(np.arange(len(table)) + position * width, table[name], width, label=str(name))
    middles = np.arange(len(table)) + width * (len(table.columns) - 1) / 2
    axes.set_xticks(middles, [str(name) for name in table.index])
    axes.yaxis.set_major_formatter("{x:.0%}")
    if axes.containers:
        figure.legend(**LEGEND)
    return _png(figure, is_empty=not table.notna().any(axis=None))


def trade_off_curves(gates: pd.DataFrame) -> bytes:
    """PNG of `regret_share` over `harmed_share`: the least regret that each harm buys, a line per kind of company.

    A kind is `plans`, `history_days` and `segment`.
    """
    figure, axes = _axes("What a stricter gate costs: regret and harm of all that could be set")
    for (plans, days, segment), rows in gates.groupby(["plans", "history_days", "segment"]) if not gates.empty else ():
        ordered = rows.sort_values(["harmed_share", "regret_share"])
        axes.scatter(ordered["harmed_share"], ordered["regret_share"], s=6, alpha=0.3)
        axes.plot(ordered["harmed_share"], ordered["regret_share"].cummin(), linewidth=1.5)
        axes.lines[-1].set_label(f"{plans} {days} {segment}")
    axes.axvline(0.05, color="black", linewidth=0.8, linestyle=":")
    axes.set_xlabel("companies that pay more than 1 % above staying")
    axes.set_ylabel("regret / best cost")
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.yaxis.set_major_formatter("{x:.0%}")
    if axes.lines[1:]:
        figure.legend(**LEGEND)
    return _png(figure, is_empty=gates.empty)


def reliability_curve(reliability: pd.DataFrame) -> bytes:
    """PNG of the `observed_frequency` over the `mean_probability` of each decile; dots grow with its switches."""
    figure, axes = _axes("How often switches really were cheaper, by the probability told")
    known = reliability[reliability["switches"] > 0] if not reliability.empty else reliability
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
    if not known.empty:
        sizes = 10 + 190 * known["switches"] / known["switches"].max()
        axes.scatter(known["mean_probability"], known["observed_frequency"], s=sizes, color="tab:blue")
    axes.set_xlabel("probability told")
    axes.set_ylabel("share that was cheaper")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return _png(figure, is_empty=known.empty)


def _axes(title: str) -> tuple[Any, Any]:
    """A figure of its own: pyplot would keep every one that a long-lived process draws."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize="medium", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Any, *, is_empty: bool) -> bytes:
    if is_empty:
        figure.text(0.5, 0.5, "no data yet", ha="center")
    with BytesIO() as file:
        figure.savefig(file, format="png")
        return file.getvalue()
