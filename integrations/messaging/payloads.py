"""A payload is checked whole before anything is rendered, so that one error names everything that is wrong with it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["Payload", "PayloadError", "Problems"]

Payload = Mapping[str, Any]


class PayloadError(ValueError):
    """The payload of a mail lacks something or holds something unusable; the message lists all of it."""


class Problems:
    """Collects what is wrong with the payload of one mail, and raises once."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._found: list[str] = []

    def note(self, problem: str) -> None:
        """Add one problem."""
        self._found.append(problem)

    def read(self, payload: Payload, path: str, convert: Callable[[Any], Any] | None = None, at: str = "") -> Any:
        """The value at a dotted path, converted; a problem is noted and None returned when there is none.

        `at` is the place of `payload` within the whole, for the message. `convert` raises ValueError.
        """
        node = _value(payload, path)
        if node in (None, ""):
            self.note(f"{at}{path} is missing")
            return None
        if convert is None:
            return node
        try:
            return convert(node)
        except ValueError as error:
            self.note(f"{at}{path}: {error}")
            return None

    def read_if_any(self, payload: Payload, path: str, convert: Callable[[Any], Any], at: str = "") -> Any:
        """As `read`, but for a value that need not be there: without it None is returned, and nothing noted."""
        return None if _value(payload, path) in (None, "") else self.read(payload, path, convert, at)

    def read_rows(self, payload: Payload, path: str) -> Iterable[tuple[str, Payload]]:
        """The mappings of the list at `path`, each with its place (`findings[0].`); an empty list is fine."""
        rows = self.read(payload, path, _list)
        for index, row in enumerate(rows or []):
            if isinstance(row, Mapping):
                yield f"{path}[{index}].", row
            else:
                self.note(f"{path}[{index}] is no mapping")

    def raise_if_any(self) -> None:
        """Raise PayloadError that names every problem noted so far."""
        if self._found:
            raise PayloadError(f"cannot render a {self._kind} mail: {'; '.join(self._found)}")


def _value(payload: Payload, path: str) -> Any:
    node: Any = payload
    for part in path.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError("is no list")
    return list(value)
