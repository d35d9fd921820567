"""The command group `usage-pricing recommendations`: what companies are advised, and what they decide."""

import getpass
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from psycopg import Connection

recommendations_app = typer.Typer(no_args_is_help=True, help="Look at recommendations; accept or reject one.")
console = Console()
problems = Console(stderr=True)

Key = Annotated[str, typer.Argument(help="As `recommendations list` shows it, such as day-14:acme.")]
Actor = Annotated[str, typer.Option(help="Who does it, for the audit; you, unless given.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, with amounts as strings.")]


@recommendations_app.command(name="list")
def list_recommendations(
    company: Annotated[str | None, typer.Option(help="Only of this company, by its key.")] = None,
    status: Annotated[str | None, typer.Option(help="pending, viewed, accepted, rejected or expired.")] = None,
    last: Annotated[int, typer.Option(help="How many at most.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """List the newest recommendations, the newest last.

    Example: usage-pricing recommendations list --status pending
    """
    from ml.recommendation.lifecycle import TRANSITIONS
    from orchestration.advice_shown import as_list, read_list

    if status is not None and status not in TRANSITIONS:
        known = ", ".join(filter(None, TRANSITIONS))
        raise typer.BadParameter(f"no recommendation is {status}; use one of {known}", param_hint="--status")
    with _warehouse() as connection:
        rows = read_list(connection, company, status, last)
    if as_json:
        _print_json(rows)
    elif rows:
        console.print(as_list(rows))
    else:
        console.print("There is no such recommendation." if company or status else "Nothing was recommended yet.")


@recommendations_app.command()
def show(key: Key, as_json: AsJson = False) -> None:
    """Show one recommendation with its reasons and its history. It does not count as viewed.

    Example: usage-pricing recommendations show day-14:acme
    """
    with _warehouse() as connection:
        _show(connection, key, as_json)


@recommendations_app.command()
def view(key: Key, actor: Actor = "", as_json: AsJson = False) -> None:
    """Show one recommendation, and note that the company has seen it.

    Example: usage-pricing recommendations view day-14:acme --actor ann@acme.example
    """
    with _warehouse() as connection:
        _change(connection, key, "viewed", actor, "")
        _show(connection, key, as_json)


@recommendations_app.command()
def accept(key: Key, actor: Actor = "", reason: Reason = "", as_json: AsJson = False) -> None:
    """Note that the company accepts a recommendation. Its subscription stays as it is.

    Subscriptions change by their feed alone, where whoever sells says from when on; the line for it is printed.

    Example: usage-pricing recommendations accept day-14:acme --actor ann@acme.example
    """
    _decide(key, "accepted", actor, reason, as_json)


@recommendations_app.command()
def reject(key: Key, actor: Actor = "", reason: Reason = "", as_json: AsJson = False) -> None:
    """Note that the company rejects a recommendation. The same plan is not offered again for 90 days.

    Example: usage-pricing recommendations reject day-14:acme --reason "under contract until May"
    """
    _decide(key, "rejected", actor, reason, as_json)


@recommendations_app.command()
def replay(key: Key, as_json: AsJson = False) -> None:
    """Compute a recommendation again from what was stored with it, and say what comes out otherwise.

    Neither marts nor raw events are read, so it does not matter what has arrived, or was archived, since. Exits with 1
    where something differs.

    Example: usage-pricing recommendations replay day-14:acme
    """
    from dataclasses import asdict

    from orchestration.advice_replay import NotReplayable
    from orchestration.advice_replay import replay as compute_again
    from orchestration.lifecycle import UnknownRecommendation
    from orchestration.replay_contents import ContentMissing

    try:
        with _warehouse() as connection:
            found = compute_again(connection, key)
    except (UnknownRecommendation, NotReplayable, ContentMissing) as error:
        _fail(str(error))
    if as_json:
        _print_json(asdict(found))
    else:
        same = found.count_fields - len({re.split(r"[.[]", other.field)[0] for other in found.differences})
        console.print(f"{same} of {found.count_fields} fields are the same.", highlight=False)
        for other in found.differences:
            _tell(f"{other.field}: stored {other.stored}, computed {other.computed}")
        for other in found.other_versions:
            _tell(f"It was computed with {other.field} {other.stored}; this is {other.computed}.")
    if found.differences:
        raise typer.Exit(1)


def _decide(key: str, wanted: str, actor: str, reason: str, as_json: bool) -> None:
    from orchestration import clock
    from orchestration.advice_shown import read_one, subscription_line

    with _warehouse() as connection:
        _change(connection, key, wanted, actor, reason)
        found, now = read_one(connection, key) or {}, clock.now(connection)
    line = subscription_line(found, now) if wanted == "accepted" else None
    if as_json:
        _print_json({"recommendation_key": key, "status": found["status"], "subscription_line": line})
        return
    console.print(f"{key} is {found['status']}.", highlight=False, soft_wrap=True)
    if line:
        sentence = "The subscription does not change by this. When it is to, land this line in subscriptions/:"
        console.print(sentence, soft_wrap=True)
        typer.echo(json.dumps(line))


def _change(connection: "Connection", key: str, wanted: str, actor: str, reason: str) -> None:
    from orchestration import clock
    from orchestration.lifecycle import ChangeRefused, UnknownRecommendation, change

    try:
        change(connection, key, wanted, actor or getpass.getuser(), clock.now(connection), reason)
    except (ChangeRefused, UnknownRecommendation) as error:
        _fail(str(error))


def _show(connection: "Connection", key: str, as_json: bool) -> None:
    from orchestration.advice_shown import as_history, as_list, as_options, read_one
    from orchestration.lifecycle import UnknownRecommendation

    found = read_one(connection, key)
    if found is None:
        _fail(str(UnknownRecommendation.of(key)))
    elif as_json:
        _print_json(found)
    else:
        console.print(as_list([found]))
        console.print(as_options(found))
        for sentence in as_history(found):
            _tell(sentence)


def _warehouse() -> Any:
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment

    return Warehouse(environment.prepare()).connect()


def _print_json(value: Any) -> None:
    from orchestration.advice_shown import as_json_values

    typer.echo(json.dumps(as_json_values(value), indent=2))


def _tell(sentence: str) -> None:
    console.print(sentence, soft_wrap=True, highlight=False, markup=False)


def _fail(sentence: str) -> NoReturn:
    problems.print(sentence, soft_wrap=True, highlight=False, markup=False)
    raise typer.Exit(1)
