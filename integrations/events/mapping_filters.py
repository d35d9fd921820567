"""Rules that leave rows of a foreign table out on purpose; how many is counted under each rule's name."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from integrations.events.mapping_settings import Strict, as_list

__all__ = ["Filter"]

CONDITIONS = ("equals", "not_equals", "matches", "empty")


OneOf = Annotated[frozenset[str], BeforeValidator(as_list), Field(min_length=1)]


class Filter(Strict):
    """One condition on one column, and whether the rows that meet it are left out, or are the only ones kept.

    Attributes:
        equals: met by any of these values.
        not_equals: met by any but these.
        matches: met when this regular expression is found somewhere; `^` and `$` bind it to the ends.
        empty: true is met by nothing and by blanks, false by anything else.
    """

    name: Annotated[str, Field(min_length=1)]
    column: str
    equals: OneOf | None = None
    not_equals: OneOf | None = None
    matches: re.Pattern[str] | None = None
    empty: bool | None = None
    then: Literal["leave_out", "keep"] = "leave_out"

    @model_validator(mode="after")
    def _has_one_condition(self) -> Self:
        if sum(getattr(self, condition) is not None for condition in CONDITIONS) != 1:
            raise ValueError(f"the rule {self.name!r} needs exactly one of {', '.join(CONDITIONS)}")
        return self

    def leaves_out(self, row: Mapping[str, str]) -> bool:
        """Tell whether the rule leaves the row out."""
        return self._is_met(row[self.column]) is (self.then == "leave_out")

    def _is_met(self, value: str) -> bool:
        if self.equals is not None:
            return value in self.equals
        if self.not_equals is not None:
            return value not in self.not_equals
        if self.matches is not None:
            return self.matches.search(value) is not None
        return (not value.strip()) is self.empty
