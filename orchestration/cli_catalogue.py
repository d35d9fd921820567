"""The command group `usage-pricing catalogue`: is a price list what its editor meant?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from ml.rating.plan import Plan

catalogue_app = typer.Typer(no_args_is_help=True, help="Check price lists before they are loaded.")
console = Console()
problems = Console(stderr=True)
SHIPPED = "default.yaml"


@catalogue_app.command()
def lint(
    file: Annotated[
        Path | None, typer.Argument(help="A catalogue; without one, the shipped one.", exists=True, dir_okay=False)
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")] = False,
) -> None:
    """Say what is wrong or odd in a price list: gaps, usage charged twice, cliffs, tiers and plans without effect.

    One line for each finding, with the plan, the field and the usage at which it bites. An error exits with 1.

    Example: usage-pricing catalogue lint plans.yaml --strict
    """
    from ml.rating.lint import lint_text

    source = file.name if file else SHIPPED
    findings = lint_text(catalogue_text(file), source)
    for finding in findings:
        line = f"{source}: {finding} ({finding.severity}: {finding.code})"
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    errors = sum(finding.severity == "error" for finding in findings)
    counted = f"{_count(errors, 'error')}, {_count(len(findings) - errors, 'warning')}"
    console.print(f"{source}: {counted}.", soft_wrap=True, highlight=False, markup=False)
    if errors or (strict and findings):
        raise typer.Exit(1)


def catalogue_text(file: Path | None) -> str:
    """The text of a catalogue, or of the shipped one."""
    from ml.rating.catalogue import default_catalogue

    if file is None:
        return default_catalogue()
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file.name} is not UTF-8; convert it to UTF-8") from error


def catalogue_plans(file: Path | None) -> "list[Plan]":
    """The plans of a catalogue, or of the shipped one; says all that is wrong with it, and exits with 1."""
    from ml.rating.catalogue import CatalogueError, load_catalogue

    try:
        return load_catalogue(catalogue_text(file), file.name if file else SHIPPED)
    except CatalogueError as error:
        problems.print(str(error), soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(1) from error


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
