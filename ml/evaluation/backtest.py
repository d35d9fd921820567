"""Rolling-origin backtest of the forecasts: at each cut-off only what lies before it is known, settings included."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from ml.analysis.arrays import Bools, Floats, ratio
from ml.analysis.forecasting.history import History
from ml.analysis.forecasting.models import forecast_groups, learn_models
from ml.analysis.windows import require_columns
from ml.evaluation.baselines import BASELINES
from ml.evaluation.metrics import LEVELS, coverage, mase, pinball_loss, seasonal_scale, wape

__all__ = ["CHOSEN", "KEYS", "accuracy", "backtest", "check_usage", "choose_cutoffs", "history_of", "judge", "why_none"]

CHOSEN = "forecast"
"""Name of the forecast that is really given: the model that earlier windows have chosen."""
TABLE_COLUMNS = ("account", "date", "meter", "quantity")
KEYS = ("meter", "history_days", "model")
SUMS = ("error", "usage", "pinball", "inside", "days", "scaled_error", "scaled_series")


def history_of(table: pd.DataFrame, meter: str) -> History:
    """The accounts' usage of a meter up to the last date of the table.

    Days without a row are days without usage, from an account's first row on; before it, nothing was observed.
    """
    first, last = table["date"].min(), table["date"].max()
    rows = table[table["meter"] == meter]
    wide = rows.pivot_table(index="account", columns="date", values="quantity", aggfunc="sum")
    wide = wide.reindex(columns=pd.date_range(first, last))
    observed = np.maximum.accumulate(wide.notna().to_numpy(), axis=1)
    ends = np.repeat(np.datetime64(last.date() + timedelta(days=1), "D"), len(wide))
    return History(wide.fillna(0.0).to_numpy(dtype=np.float64), observed, ends)


def check_usage(table: pd.DataFrame) -> pd.DataFrame:
    """The table account, date, meter, quantity with its types; several rows of a day are summed later.

    Raises ValueError for missing columns, no rows, dates or quantities that are none, and negative quantities.
    """
    require_columns(table, "the table", TABLE_COLUMNS)
    if table.empty:
        raise ValueError("the table has no rows; give daily usage.")
    found = table[list(TABLE_COLUMNS)].assign(
        date=_days(table["date"]), quantity=pd.to_numeric(table["quantity"], errors="coerce")
    )
    for name, wrong, remedy in (
        ("account", _is_blank(found["account"]), "name the account"),
        ("meter", _is_blank(found["meter"]), "name the meter"),
        ("date", found["date"].isna(), "write 2026-02-01"),
        ("quantity", ~(found["quantity"] >= 0) | np.isinf(found["quantity"]), "write a number from 0 on"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            written = table[name].astype(object).iloc[row]
            raise ValueError(f"row {row + 1} has the {name} {written!r} (one of {wrong.sum()}); {remedy}.")
    return found.astype({"account": str, "meter": str, "quantity": float})


def _days(values: pd.Series) -> pd.Series:
    """Calendar days as they are written: times and offsets from UTC are left out; NaT for what is no ISO date."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_localize(None)
    if not pd.api.types.is_datetime64_any_dtype(values):
        values = pd.to_datetime(values.astype(str).str.strip().str[:10], format="%Y-%m-%d", errors="coerce")
    days: pd.Series = values.dt.normalize()
    return days


def _is_blank(values: pd.Series) -> pd.Series:
    return values.isna() | (values.astype(str).str.strip() == "")


def choose_cutoffs(table: pd.DataFrame, history_days: int, horizon: int, count: int) -> list[date]:
    """The last `count` firsts of a month with the history before and the horizon after them, in order.

    Without any, the last day that leaves a horizon. Raises ValueError when the table is too short even for that.
    """
    first, last = table["date"].min().date(), table["date"].max().date()
    earliest, latest = first + timedelta(days=history_days), last - timedelta(days=horizon - 1)
    if latest < earliest:
        days = (last - first).days + 1
        raise ValueError(f"{days} days of usage; {history_days} of history and {horizon} ahead need as many together.")
    starts = [start.date() for start in pd.date_range(earliest, latest, freq="MS")]
    return starts[-count:] or [latest]


def backtest(
    table: pd.DataFrame,
    history_days: Sequence[int],
    horizon: int,
    cutoffs: Sequence[date],
    progress: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Sums of errors by meter, cutoff, history_days, segment and model, from a table account, date, meter, quantity.

    A cut-off is the first day ahead. An account is forecast from its last `history_days` before the cut-off, with
    models learned from all accounts' windows that had ended by then, and is judged when it was active on all of these
    days and used anything. `progress` is called once per meter, cut-off and length. Feed the rows to `accuracy`.
    """
    rows: list[dict[str, object]] = []
    for meter in sorted(table["meter"].unique()):
        history = history_of(table, meter)
        for cutoff in cutoffs:
            age = (table["date"].max().date() - cutoff).days + 1
            for days in history_days:
                rows += [{"meter": meter, "cutoff": cutoff, **found} for found in judge(history, age, days, horizon)]
                progress()
    columns = ["meter", "cutoff", "history_days", "segment", "model", "is_chosen", "series", "total_series"]
    return pd.DataFrame(rows, columns=[*columns, *SUMS])


def judge(history: History, age: int, history_days: int, horizon: int) -> Iterator[dict[str, object]]:
    """Sums per segment and model of what was forecast `age` days before the ends, when nothing later was known."""
    known = history.before(age)
    ahead = slice(known.days, known.days + horizon)
    actual, observed = history.quantity[:, ahead], history.observed[:, ahead]
    shown = known.last(history_days)
    judged = np.flatnonzero(shown.observed.all(axis=1) & shown.quantity.any(axis=1) & (shown.days == history_days))
    models = learn_models(known, horizon, (history_days,))
    scale = seasonal_scale(shown.quantity, shown.observed)
    for rows, (segment, days), found in forecast_groups(models, shown.rows(judged), horizon):
        chosen, model = judged[rows], models[segment, days]
        own = shown.rows(chosen)
        points = model.points(own, horizon)
        quantiles = found.quantiles(LEVELS)
        quantiles[1] = found.point
        candidates = {CHOSEN: (found.point, quantiles)}
        for name, point in (points | {name: rule(own, horizon) for name, rule in BASELINES.items()}).items():
            candidates[name] = (point, np.broadcast_to(point, quantiles.shape))
        for name, (point, bounds) in candidates.items():
            yield {
                "history_days": history_days,
                "segment": segment,
                "model": name,
                "is_chosen": name in (CHOSEN, model.chosen),
                "series": len(chosen),
                "total_series": len(known.ends),
                **_sums(point, bounds, actual[chosen], observed[chosen], scale[chosen], name == CHOSEN),
            }


def _sums(
    point: Floats, bounds: Floats, actual: Floats, observed: Bools, scale: Floats, has_interval: bool
) -> dict[str, float]:
    error, used = wape(point, actual, observed)
    pinball, _ = pinball_loss(bounds, actual, observed)
    inside, days = coverage(bounds, actual, observed)
    scaled = mase(point, actual, observed, scale)
    return {
        "error": error,
        "usage": used,
        "pinball": pinball,
        "inside": inside if has_interval else np.nan,
        "days": days,
        "scaled_error": float(np.nansum(scaled)),
        "scaled_series": int((~np.isnan(scaled)).sum()),
    }


def why_none(table: pd.DataFrame, history_days: Sequence[int]) -> str:
    """The sentence to say when no account could be judged at any cut-off."""
    days = " or ".join(map(str, history_days))
    return (
        f"None of the {table['account'].nunique()} accounts was there for {days} days before a cut-off and used"
        " anything in them, so there is nothing to judge."
    )


def accuracy(sums: pd.DataFrame, by: Iterable[str] = KEYS) -> pd.DataFrame:
    """WAPE, MASE, pinball loss and coverage of the 80 % interval per group: sums are added, then divided.

    Columns: `by`, count_series (most at a cut-off), count_cutoffs, wape, mase, pinball_loss, coverage_80; NaN where
    nothing was used, no scale is known, or there is no interval. Pinball loss is relative to the usage.
    """
    keys = list(by)
    per_cutoff = sums.groupby([*keys, "cutoff"], sort=False, as_index=False)["series"].sum()
    grouped = sums.groupby(keys, sort=False)
    total = grouped[list(SUMS)].sum(min_count=1).reset_index()
    counts = per_cutoff.groupby(keys, sort=False).agg(
        count_series=("series", "max"), count_cutoffs=("cutoff", "nunique")
    )
    found = total[keys].copy()
    found["count_series"], found["count_cutoffs"] = (counts[name].to_numpy() for name in counts)
    for name, (top, bottom) in {
        "wape": ("error", "usage"),
        "mase": ("scaled_error", "scaled_series"),
        "pinball_loss": ("pinball", "usage"),
        "coverage_80": ("inside", "days"),
    }.items():
        found[name] = ratio(total[top].to_numpy(), total[bottom].to_numpy())
    return found
