"""What is wrong with a catalogue, said in sentences that its editor can act on."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ml.rating.charges import MODEL_NAMES

__all__ = ["CatalogueError", "Fault", "faults_of", "plan_label", "sentences_of"]

_TEXTS = {
    "missing": "the field is missing",
    "extra_forbidden": "there is no such field; check its spelling",
    "greater_than_equal": "{input} is too small; it must be {ge} or more",
    "greater_than": "{input} is too small; it must be more than {gt}",
    "less_than_equal": "{input} is too large; it must be {le} or less",
    "string_pattern_mismatch": "{input!r} does not have the form {pattern}",
    "literal_error": "{input!r} is not allowed; use {expected}",
    "union_tag_invalid": "{input[model]!r} is not a charge model; use one of " + ", ".join(MODEL_NAMES),
    "union_tag_not_found": "the charge names no model; add model: with one of " + ", ".join(MODEL_NAMES),
}


class Fault(NamedTuple):
    """What is wrong: the plan, or where none can be named nothing, the path of the field in it, and the rest."""

    plan: str
    path: str
    text: str

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.plan, self.path)))
        return f"{where}: {self.text}" if where else self.text


class CatalogueError(ValueError):
    """A catalogue that cannot be used; `sentences` holds one sentence for each thing that is wrong with it."""

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        self.source = source
        self.faults = tuple(faults)
        self.sentences = tuple(map(str, self.faults))
        super().__init__("\n".join(f"{source}: {sentence}" for sentence in self.sentences))


def plan_label(plan: Any, index: int) -> str:
    """How a sentence names a plan as the catalogue wrote it: `plan volumen v1`, or its place if it bears no key."""
    if isinstance(plan, Mapping) and "plan_key" in plan:
        return f"plan {plan['plan_key']} v{plan.get('version', '?')}"
    return f"plans[{index}]"


def sentences_of(error: ValidationError, label: str) -> list[str]:
    """One sentence for each finding, which names the plan and the field: `plan volumen v1, charges[0].per: ...`."""
    return list(map(str, faults_of(error, label)))


def faults_of(error: ValidationError, label: str) -> list[Fault]:
    """The findings of `sentences_of` in their parts."""
    return [Fault(label, _path(found["loc"]), _text(found)) for found in error.errors()]


def _path(location: tuple[str | int, ...]) -> str:
    # pydantic puts the discriminator's value behind the index of a charge; the reader's file has no such level.
    parts = [part for before, part in zip((None, *location), location, strict=False) if not _is_tag(before, part)]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")


def _is_tag(before: str | int | None, part: str | int) -> bool:
    return isinstance(before, int) and part in MODEL_NAMES


def _text(found: ErrorDetails) -> str:
    if found["type"] == "terms":
        return found["msg"]
    if found["type"] in _TEXTS:
        return _TEXTS[found["type"]].format(input=found["input"], **found.get("ctx", {}))
    return f"{found['msg'][0].lower()}{found['msg'][1:]} (found {str(found['input'])[:60]!r})"
