"""What loading a file would come to, found without storing anything."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from integrations.events.batches import Fate
from integrations.events.contract import Refused
from integrations.events.normalise import ROW_COLUMNS

__all__ = ["Preview", "Refusal", "preview", "printable"]

LONGEST_PAYLOAD = 160  # characters
LONGEST_CHARACTER = 4  # bytes


@dataclass
class Refusal:
    """All lines that are refused for one reason and field, of which the first is shown."""

    reason: str
    field: str | None
    line: int
    message: str
    payload: str
    count: int = 0


@dataclass
class Preview:
    """What became of the lines of a file; read = accepted + rejected + filtered.

    Attributes:
        first: the first accepted events, each with the columns `ROW_COLUMNS`.
        refusals: by reason and field, the most frequent first.
        filtered: how many rows each rule leaves out.
    """

    read: int = 0
    accepted: int = 0
    first: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    filtered: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """How many lines are refused, for whatever reason."""
        return sum(refusal.count for refusal in self.refusals)


def preview(fates: Iterable[tuple[int, bytes, Fate]], first: int) -> Preview:
    """Count what becomes of lines, each with its number and payload, and keep the `first` accepted events.

    Duplicates are not told: only the keys in the warehouse know them.
    """
    found, refusals = Preview(), dict[tuple[str, str | None], Refusal]()
    for number, payload, fate in fates:
        found.read += 1
        if isinstance(fate, tuple):
            found.accepted += 1
            if len(found.first) < first:
                found.first.append(dict(zip(ROW_COLUMNS, fate, strict=True)))
        elif isinstance(fate, Refused):
            kind = fate.reason, fate.field
            if kind not in refusals:
                refusals[kind] = Refusal(*kind, number, printable(str(fate)), _start_of(payload))
            refusals[kind].count += 1
        else:
            found.filtered[fate.rule] += 1
    found.refusals = sorted(refusals.values(), key=lambda refusal: (-refusal.count, refusal.line))
    return found


def printable(text: str) -> str:
    """The text with its control characters written out, so that it does nothing to a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _start_of(payload: bytes) -> str:
    text = payload[: LONGEST_PAYLOAD * LONGEST_CHARACTER].rstrip(b"\r\n").decode("utf-8", "backslashreplace")
    shown = printable(text)
    return shown if len(shown) <= LONGEST_PAYLOAD else f"{shown[:LONGEST_PAYLOAD]} ..."
