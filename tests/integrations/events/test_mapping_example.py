"""The mapping that the documentation shows does what it says there."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import get_args

import yaml

from integrations.events import mapping
from integrations.events.contract import Refused, UsageEvent
from integrations.events.delimited import mapped_lines
from integrations.events.mapping import Filtered, SourceMapping, load_mapping
from integrations.events.mapping_filters import CONDITIONS, Filter
from integrations.events.mapping_numbers import Duration, Money, Quantity
from integrations.events.mapping_settings import DataTemplates, EventTemplates, TimeColumns
from integrations.events.mapping_times import NAMED

FOLDER = Path(mapping.__file__).parent
EXAMPLE = FOLDER / "examples/calls.yaml"
PAGE = (FOLDER / "MAPPING.md").read_text()


def outcomes(kind):
    with (FOLDER / "examples/calls.csv").open("rb") as file:
        lines = mapped_lines(file, load_mapping(EXAMPLE), "calls.csv")
        return {
            number: fate for number, _, fate in lines if isinstance(fate[0] if isinstance(fate, tuple) else fate, kind)
        }


def test_each_event_of_the_example_is_as_its_mapping_says():
    found = {
        line: (
            event.time.astimezone(UTC),
            event.data.branch,
            event.data.customer,
            event.data.duration_seconds,
            event.data.outcome,
            event.data.revenue,
            event.data.properties,
            is_shifted,
        )
        for line, (event, is_shifted) in outcomes(UsageEvent).items()
    }

    def at(month, day, hour, minute):
        return datetime(2026, month, day, hour, minute, tzinfo=UTC)

    ana, ben = {"agent": "ana"}, {"agent": "ben"}
    assert found == {
        2: (at(11, 2, 8, 30), "harbour", "+491701", 150, "success", Decimal("1234.50"), ana, False),
        3: (at(11, 2, 14, 30), "main", "+491702", 60, "missed", None, None, False),
        4: (at(11, 2, 7, 30), "harbour", None, 0, "failure", Decimal("0.10"), ben, False),
        5: (at(3, 29, 1, 30), "harbour", "+491704", 3600, "success", Decimal("12.00"), ana, True),
    }
    first, _ = outcomes(UsageEvent)[2]
    assert (first.id, first.source, first.type, first.subject) == ("acme-1", "/pbx/harbour", "call", "acme")
    assert (first.data.channel, first.data.currency, first.data.quantity) == ("phone", "EUR", Decimal(1))


def test_rows_of_the_example_are_left_out_by_name():
    assert {line: fate.rule for line, fate in outcomes(Filtered).items()} == {
        6: "test calls",
        7: "no client",
        8: "internal numbers",
        9: "calls that go on",
    }


def test_rows_of_the_example_are_refused_by_field_and_by_what_was_written():
    found = {line: (fate.reason, fate.field, str(fate)) for line, fate in outcomes(Refused).items()}
    assert {line: fate[:2] for line, fate in found.items()} == {
        10: ("invalid_field", "time"),
        11: ("invalid_field", "time"),
        12: ("invalid_field", "data.duration_seconds"),
        13: ("invalid_field", "data.revenue"),
    }
    for line, written in {10: "'31.02.2026 09:35:00'", 11: "'Mars/Phobos'", 12: "'ten'", 13: "'12.34,5'"}.items():
        assert written in found[line][2]


def test_the_example_uses_every_setting_and_every_condition():
    content = yaml.safe_load(EXAMPLE.read_text())
    assert set(content) == set(SourceMapping.model_fields)
    assert {condition for rule in content["filters"] for condition in rule} >= {*CONDITIONS, "then"}


def choices(annotation) -> set[str]:
    """The texts among which a setting's type lets choose."""
    if isinstance(annotation, str):
        return {annotation}
    return {choice for part in get_args(annotation) for choice in choices(part)}


def test_the_page_names_every_setting_and_every_value_that_it_may_have():
    models = (SourceMapping, TimeColumns, EventTemplates, DataTemplates, Duration, Money, Quantity, Filter)
    settings = {name for model in models for name in model.model_fields}
    values = {value for model in models for field in model.model_fields.values() for value in choices(field.annotation)}
    assert {"minutes", "cents", "millions", "half_up", "keep"} <= values
    assert not {name for name in (settings | values | set(NAMED)) if f"`{name}" not in PAGE}
