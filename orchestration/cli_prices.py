"""The command `usage-pricing simulate`: what a month would cost under a plan."""

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from orchestration.cli_catalogue import catalogue_plans

if TYPE_CHECKING:
    from ml.rating.plan import Plan

console = Console()
problems = Console(stderr=True)
MINUTES, APPOINTMENTS = "call_seconds", "appointments"


def simulate(
    plan: Annotated[str, typer.Option(help="The plan_key; its newest version counts.")],
    catalogue: Annotated[
        Path | None, typer.Option(help="A catalogue; without one, the shipped one.", exists=True, dir_okay=False)
    ] = None,
    minutes: Annotated[str | None, typer.Option(help="Minutes of calls in the month.")] = None,
    appointments: Annotated[str | None, typer.Option(help="Appointments in the month.")] = None,
    usage: Annotated[
        list[str] | None, typer.Option(metavar="METER=QUANTITY", help="Usage of any meter, in its unit (seconds).")
    ] = None,
    add_on: Annotated[list[str] | None, typer.Option(metavar="KEY=NUMBER", help="An add-on that is booked.")] = None,
    yearly: Annotated[bool, typer.Option("--yearly", help="Paid by the year; shown is one month of it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with amounts as strings.")] = False,
) -> None:
    """Say what a month of this usage would cost, line by line. Nothing is stored.

    Example: usage-pricing simulate --plan per_minute --minutes 1375 --appointments 174
    """
    from ml.rating.contract import Contract, contract_problems
    from ml.rating.rate import rate
    from orchestration.quotes import as_json_values, as_table

    chosen = _newest(catalogue_plans(catalogue), plan)
    used = _usage(chosen, minutes, appointments, usage or [])
    booked = {key: int(number) for key, number in _pairs(add_on or [], "--add-on", whole=True).items()}
    contract = Contract(chosen, "year" if yearly else "month", booked)
    if refused := list(contract_problems(contract)):
        raise typer.BadParameter("; ".join(refused))
    bill = rate(contract, used)
    if as_json:
        typer.echo(json.dumps(as_json_values(contract, bill), indent=2))
    else:
        console.print(as_table(contract, bill))
    for meter in sorted(used.keys() - chosen.meters):
        problems.print(f"The plan does not charge {meter}.", soft_wrap=True, highlight=False, markup=False)


def _newest(plans: "list[Plan]", key: str) -> "Plan":
    known = {plan.plan_key: plan for plan in sorted(plans, key=lambda plan: plan.version)}
    if key not in known:
        raise typer.BadParameter(f"no plan is called {key}; {_closest(key, known)}", param_hint="--plan")
    return known[key]


def _usage(plan: "Plan", minutes: str | None, appointments: str | None, usage: list[str]) -> dict[str, Decimal]:
    """Quantities by meter, in the meter's unit."""
    from ml.rating.meters import METERS

    used = _pairs(usage, "--usage")
    for meter in used.keys() - METERS.keys():
        raise typer.BadParameter(f"no meter is called {meter}; {_closest(meter, METERS)}", param_hint="--usage")
    given = {MINUTES: ("--minutes", minutes, 60), APPOINTMENTS: ("--appointments", appointments, 1)}
    for meter, (option, text, units) in given.items():
        if text is not None:
            if meter in used:
                raise typer.BadParameter(f"{meter} is given by --usage, too; give it once", param_hint=option)
            used[meter] = _number(text, option) * units
    if MINUTES in used and (missing := _parts(plan) - used.keys()):
        instead = " ".join(f"--usage {meter}=SECONDS" for meter in sorted(missing))
        sentence = f"plan {plan.plan_key} prices minutes by the time of day; instead give {instead}"
        raise typer.BadParameter(sentence, param_hint="--minutes" if minutes else "--usage")
    return used


def _parts(plan: "Plan") -> set[str]:
    """The meters of a plan that asks when minutes were spoken."""
    from ml.rating.meters import TIMES_OF_DAY

    return {meter for split in TIMES_OF_DAY[MINUTES] for meter in split.values()} & plan.meters


def _pairs(texts: list[str], option: str, whole: bool = False) -> dict[str, Decimal]:
    """`["leads=5"]` as `{"leads": 5}`."""
    pairs: dict[str, Decimal] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text} is no pair; write it like leads=5", param_hint=option)
        if name in pairs:
            raise typer.BadParameter(f"{name} is given twice; give it once", param_hint=option)
        pairs[name] = _number(number, option, whole)
    return pairs


def _number(text: str, option: str, whole: bool = False) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0 or (whole and number % 1):
        kind = "whole number" if whole else "number"
        raise typer.BadParameter(f"{text!r} is no {kind} of 0 or more; write it like 1375", param_hint=option)
    return number


def _closest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=3)
    return f"did you mean {' or '.join(close)}?" if close else f"use one of {', '.join(known)}"
