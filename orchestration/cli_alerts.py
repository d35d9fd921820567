"""The command `usage-pricing alerts`: what the operators were told."""

from typing import Annotated

import typer
from rich.console import Console

LAST = 20
console = Console()


def alerts(everything: Annotated[bool, typer.Option("--all", help=f"Not only the last {LAST}.")] = False) -> None:
    """List what the operators were told, the newest last."""
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment

    limit = "" if everything else f"limit {LAST}"
    found = Warehouse(environment.prepare()).read(
        f"select * from messaging.operator_alerts order by raised_at desc, alert_key desc {limit}"
    )
    if found.empty:
        console.print("No alert was raised.")
    for alert in found[::-1].itertuples(index=False):
        console.print(
            f"{alert.raised_at:%Y-%m-%d %H:%M} UTC, {alert.severity}, {alert.alert_key} ({alert.state} to"
            f" {alert.destination}): {alert.subject}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
        console.print(f"    {alert.body}", soft_wrap=True, highlight=False, markup=False)
