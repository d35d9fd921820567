"""The command group `usage-pricing billing`: which periods are open, and closing one for good."""

import getpass
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from orchestration.rating.closing import Closing

billing_app = typer.Typer(no_args_is_help=True, help="See what was rated by period; close a period for good.")
console = Console()
problems = Console(stderr=True)

PERIODS = """
    select rated.invoice_period, rated.currency, count(*), count(*) filter (where rated.corrects is not null),
        sum(rated.amount), closed.closed_at, closed.actor
    from billing.rated_usage as rated
    left join billing.closed_periods as closed on rated.invoice_period = closed.usage_period
    group by rated.invoice_period, rated.currency, closed.closed_at, closed.actor
    order by rated.invoice_period, rated.currency
"""


@billing_app.command(name="list")
def list_periods() -> None:
    """List the invoice periods with what was booked into each, and which are closed."""
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment

    table = Table("period", "lines", "corrections", "amount", "state")
    with Warehouse(environment.prepare()).connect() as connection:
        rows = connection.execute(PERIODS).fetchall()
    for period, currency, count, corrections, amount, closed_at, actor in rows:
        state = f"closed {closed_at:%Y-%m-%d %H:%M} UTC by {actor}" if closed_at else "open"
        table.add_row(f"{period:%Y-%m}", f"{count:,}", f"{corrections:,}", f"{amount:,.2f} {currency}", state)
    console.print(table if rows else "Nothing was rated yet.")


@billing_app.command()
def close(
    period: Annotated[str, typer.Argument(help="The month, as 2026-10.")],
    actor: Annotated[str, typer.Option(help="Who closes it, for the audit log; you, unless given.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Freeze a month: rate what is due, and add nothing to its invoices from then on.

    Usage that is found later is booked into the first month that is open, and names the line that it corrects.

    Example: usage-pricing billing close 2026-10
    """
    from integrations.postgres.locks import exclusive
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment
    from orchestration.rating.closing import NotClosable, close_period, preview
    from orchestration.rating.ledger import BILLING_LOCK

    try:
        usage_period = date.fromisoformat(f"{period}-01")
    except ValueError as error:
        raise typer.BadParameter(f"{period} is no month; write it like 2026-10") from error
    warehouse = Warehouse(environment.prepare())
    try:
        with exclusive(warehouse.url, BILLING_LOCK), warehouse.connect() as connection:
            found = preview(connection, usage_period, clock.now(connection))
        console.print(f"{period}: {_figures(found)}", soft_wrap=True, highlight=False)
        if not yes:
            typer.confirm("Close it for good?", abort=True)
        with exclusive(warehouse.url, BILLING_LOCK), warehouse.connect() as connection:
            found = close_period(connection, usage_period, clock.now(connection), actor or getpass.getuser())
    except NotClosable as error:
        problems.print(str(error), soft_wrap=True, highlight=False)
        raise typer.Exit(1) from error
    console.print(f"{period} is closed: {_figures(found)}", soft_wrap=True, highlight=False)


def _figures(closing: "Closing") -> str:
    amounts = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in closing.totals.items()) or "nothing"
    received = f"{closing.watermark:%Y-%m-%d %H:%M} UTC"
    return f"{closing.count_lines:,} lines, {amounts}; what was received until {received} is in."
