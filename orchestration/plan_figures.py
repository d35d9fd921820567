"""A backtest of plans as people read it on a screen, and as programs do."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.table import Table

from orchestration.cli_backtest_parts import figures_table, label, plain_rows

if TYPE_CHECKING:
    import pandas as pd

    from ml.evaluation.plan_report import LengthReport, PlanReport

__all__ = ["as_json_values", "as_tables", "compared"]

Format = Callable[[Any], str]
NAMED = 2
"""Plans that are named for one reason; JSON has them all."""


def _percent(value: float) -> str:
    return "" if value != value else f"{100 * value:.1f} %"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _money(value: float) -> str:
    return f"{value:,.2f}"


REGRET: Mapping[str, tuple[str, Format]] = {
    "regret_share": ("regret", _percent),
    "mean_regret": ("mean", _money),
    "p90_regret": ("p90", _money),
    "captured_share": ("captured", _percent),
    "harmed_share": ("harmed", _percent),
    "switches": ("switches", "{:,}".format),
    "harmed_among_switches": ("of them harmed", _percent),
}
RELIABILITY: Mapping[str, tuple[str, Format]] = {
    "mean_probability": ("said", _percent),
    "observed_frequency": ("were cheaper", _percent),
    "gap": ("gap in points", _points),
}
WINNERS: Mapping[str, tuple[str, Format]] = {
    "family": ("winner", str),
    "loss_last_month": ("relative regret, last month", "{:.3f}".format),
    "loss_scenarios": ("relative regret, scenarios", "{:.3f}".format),
    "loss_analogues": ("relative regret, analogues", "{:.3f}".format),
    "min_saving_share": ("gate: least saving", _percent),
    "min_probability": ("gate: least probability", _percent),
    "cases": ("cases judged", "{:,}".format),
    "regret_gated": ("regret, gated", _percent),
    "regret_ungated": ("regret, ungated", _percent),
    "regret_stay": ("regret, stay", _percent),
    "regret_last_month": ("regret, last month", _percent),
    "harmed_share": ("harmed, gated", _percent),
}


def as_json_values(report: "PlanReport", horizon: int) -> dict[str, Any]:
    """All figures; shares are of 1, null is not known."""
    return {
        "plans": [plan.plan_key for plan in report.plans],
        "not_compared": dict(report.left_out),
        "currency": report.plans[0].currency,
        "meter": report.meter,
        "current_plan": "named" if report.is_plan_named else "cheapest_before",
        "horizon_days": horizon,
        "histories": [_length_as_json(found) for found in report.lengths],
    }


def _length_as_json(found: "LengthReport") -> dict[str, Any]:
    names = ("regret", "by_cutoff", "reliability", "winners", "policies", "trade_offs")
    return {
        "history_days": found.history_days,
        "factor": found.factor,
        "cutoffs": [label(cutoff) for cutoff in found.cutoffs],
        "calibration_error": found.tables.calibration_error,
        **{name: plain_rows(getattr(found.tables, name).to_dict("records")) for name in names},
    }


def compared(report: "PlanReport") -> str:
    """Which plans are compared, which not and why, and what is taken as the plan held."""
    reasons = sorted((reason, key) for key, reason in report.left_out.items())
    others = [
        f"{_some([key for _, key in group])} ({reason})" for reason, group in groupby(reasons, lambda one: one[0])
    ]
    without = f" Not compared: {'; '.join(others)}." if others else ""
    held = "what current_plan says" if report.is_plan_named else "the cheapest of the 30 days before the history"
    return f"Compared: {', '.join(plan.plan_key for plan in report.plans)}.{without} The plan held is {held}."


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return ", ".join(keys[:NAMED]) + more


def as_tables(report: "PlanReport") -> Iterator[Table]:
    """Per length of history the regret, the reliability, what won, and the regret by cut-off."""
    for found in report.lengths:
        yield from _tables(found, report.plans[0].currency)


def _tables(found: "LengthReport", currency: str) -> list[Table]:
    tables, cases = found.tables, int(found.tables.regret["cases"].iloc[0])
    title = (
        f"{found.history_days} days of history; cases: {cases:,}, cut-offs: {len(found.cutoffs)};"
        f" usage times {found.factor:.4g}; {currency}"
    )
    error = tables.calibration_error
    told = f"Expected calibration error: {'not shown' if error is None else f'{error:.3f}'}"
    by_cutoff = tables.by_cutoff.pivot(index="cutoff", columns="chooser", values="regret_share")
    by_cutoff = by_cutoff[tables.by_cutoff["chooser"].unique()].map(_percent).rename(index=label, columns=_chooser)
    winners = _shown(tables.winners.set_index("segment"), WINNERS).T.rename_axis("segment")
    return [
        figures_table(title, _shown(tables.regret.set_index("chooser"), REGRET).rename(index=_chooser)),
        figures_table("How often a change that was thought cheaper was so", _reliability(tables.reliability), told),
        figures_table("Which way of choosing had won by the last cut-off", winners),
        figures_table("Regret by cut-off", by_cutoff),
    ]


def _chooser(name: str) -> str:
    return name.removeprefix("recommended_").removesuffix("_plan").replace("_", " ")


def _reliability(table: "pd.DataFrame") -> "pd.DataFrame":
    shown = _shown(table, RELIABILITY)
    shown.loc[~table["is_shown"]] = ["", "not shown", ""]
    shown.insert(0, "switches", table["switches"].map("{:,}".format))
    spans = [f"{10 * (decile - 1)} to {10 * decile} %" for decile in table["decile"]]
    return shown.set_axis(spans).rename_axis("probability")


def _shown(table: "pd.DataFrame", columns: Mapping[str, tuple[str, Format]]) -> "pd.DataFrame":
    known = {name: how for name, how in columns.items() if name in table}
    return table.assign(**{name: table[name].map(show) for name, (_, show) in known.items()})[list(known)].rename(
        columns={name: heading for name, (heading, _) in known.items()}
    )
