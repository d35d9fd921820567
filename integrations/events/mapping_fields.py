"""One field of the event, made from a row: its template, its default, its table of values, its number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from integrations.events.contract import Refused
from integrations.events.mapping_numbers import Number

__all__ = ["MappedField", "Template"]

PLACEHOLDER = re.compile(r"\{(?P<column>[^{}\[]+)(?:\[:(?P<length>[0-9]{1,4})\])?\}")
ANY_OTHER = "*"


class Template:
    """Text with columns in it: `{column}`, or `{column[:4]}` for its first four characters.

    Raises:
        ValueError: when it is not written like this.
    """

    def __init__(self, text: str) -> None:
        if set("{}") & set(PLACEHOLDER.sub("", text)):
            raise ValueError(f"the template {text!r} is not like {{column}} or {{column[:4]}}")
        pieces = [(found["column"], found["length"]) for found in PLACEHOLDER.finditer(text)]
        self.columns = tuple(column for column, _ in pieces)
        self._lengths = tuple(int(length) if length else None for _, length in pieces)
        self._frame = PLACEHOLDER.sub("\0", text.replace("%", "%%")).replace("\0", "%s")
        self._only = self.columns[0] if text == f"{{{self.columns[0] if pieces else ''}}}" else None

    def expand(self, row: Mapping[str, str]) -> str:
        """The text for one row."""
        if self._only is not None:
            return row[self._only]
        return self._frame % tuple([row[name][:end] for name, end in zip(self.columns, self._lengths, strict=True)])

    def is_empty(self, row: Mapping[str, str]) -> bool:
        """Tell whether it has columns, and all of them are empty or blank."""
        return bool(self.columns) and not any(row[column].strip() for column in self.columns)


@dataclass(frozen=True)
class MappedField:
    """How a row gives one field of the event.

    Attributes:
        name: as it is called in a refusal, such as `data.outcome`.
        values: what stands for what was written; None leaves the field out, `*` is any other value.
        default: the field's value when all its columns are empty, as the event has it.
    """

    name: str
    template: Template
    values: Mapping[str, str | None]
    default: str | None
    number: Number | None

    def of(self, row: Mapping[str, str]) -> str | Decimal | int | None:
        """The field's value; None when it is left out.

        Raises:
            Refused: when it is not the number that it should be.
        """
        if self.default is not None and self.template.is_empty(row):
            return self.default
        said = self.template.expand(row)
        text = self.values.get(said, self.values.get(ANY_OTHER, said)) if self.values else said
        if text is None or not text.strip():
            return None
        try:
            return self.number.read(text.strip()) if self.number else text
        except ValueError as error:
            raise Refused("invalid_field", f"{self.name}: {error}", self.name) from error
