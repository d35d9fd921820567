"""A bill as people read it on a screen, and as programs do."""

from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel.numbers import format_currency
from rich.table import Table

from integrations.messaging.formats import Formats

if TYPE_CHECKING:
    from ml.rating.contract import Contract
    from ml.rating.rate import Bill, Line
    from ml.rating.steps import Step

__all__ = ["as_json_values", "as_table"]

FORMATS = Formats("en")


def as_table(contract: "Contract", bill: "Bill") -> Table:
    """A row for each step of each line (tier, what is included, discount), the line's amount beside its last one."""
    plan = contract.plan
    table = Table(title=f"Plan {plan.plan_key} v{plan.version}, one month", box=None, title_justify="left")
    table.add_column("charge", no_wrap=True)
    table.add_column("quantity", justify="right")
    table.add_column("tier")
    table.add_column("price", justify="right")
    table.add_column("amount", justify="right", no_wrap=True)
    for line in bill.lines:
        for row in _rows(line, bill.currency):
            table.add_row(*row)
    table.add_section()
    table.add_row("total", "", "", "", FORMATS.money(bill.total, bill.currency))
    return table


def as_json_values(contract: "Contract", bill: "Bill") -> dict[str, Any]:
    """The bill with its steps; amounts and quantities are strings, quantities in the unit of the meter."""
    lines = [asdict(line) for line in bill.lines]
    values = {
        "plan_key": contract.plan.plan_key,
        "version": contract.plan.version,
        "billing_interval": contract.billing_interval,
        "currency": bill.currency,
        "lines": [{"steps" if name == "detail" else name: value for name, value in line.items()} for line in lines],
        "total": bill.total,
    }
    return _written(values)


def _rows(line: "Line", currency: str) -> Iterator[tuple[str, str, str, str, str]]:
    amount = FORMATS.money(line.amount, currency)
    if not line.detail:
        yield line.charge, _quantity(line, line.quantity, 1), "", "", amount
    for number, step in enumerate(line.detail, 1):
        charge = line.charge if number == 1 else ""
        is_last = number == len(line.detail)
        yield charge, *_cells(line, step, currency), amount if is_last else ""


def _cells(line: "Line", step: "Step", currency: str) -> tuple[str, str, str]:
    """Quantity, tier and price of a step."""
    if step.kind not in ("usage", "included"):
        return "", step.kind.replace("_", " "), _price(step.flat_fee, currency)
    quantity = _quantity(line, step.quantity, step.per)
    if step.kind == "included":
        return quantity, "included", ""
    parts = []
    if step.unit_price or not step.flat_fee:
        parts.append(f"{_price(step.unit_price, currency)} per {_unit(line, step.per)}")
    if step.flat_fee:
        parts.append(f"{_price(step.flat_fee, currency)} flat")
    return quantity, str(step.tier or ""), " + ".join(parts)


def _quantity(line: "Line", quantity: Decimal, per: int) -> str:
    from ml.rating.units import number_text, quantity_text

    if line.meter is None:
        return f"{number_text(quantity)} {line.unit}{'s' if quantity != 1 else ''}"
    return quantity_text(line.meter, quantity, per)


def _unit(line: "Line", per: int) -> str:
    from ml.rating.units import priced_unit

    return line.unit if line.meter is None else priced_unit(line.meter, per)


def _price(price: Decimal, currency: str) -> str:
    """A price with all its decimals: they may be more than the currency has coins for."""
    return str(format_currency(price, currency, locale="en", decimal_quantization=False))


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {name: _written(part) for name, part in value.items()}
    return [_written(part) for part in value] if isinstance(value, list | tuple) else value
