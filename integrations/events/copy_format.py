"""Rows as CSV for COPY, by way of the JSON encoder: a JSON array without its brackets is CSV with another escape."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

__all__ = ["COPY_OPTIONS", "as_csv"]

COPY_OPTIONS = r"format csv, null 'null', escape '\'"

_ENCODER = msgspec.json.Encoder()
_ESCAPE = re.compile(rb"\\(u[0-9a-f]{4}|.)")
_SHORT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def as_csv(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """The rows as text that COPY reads with `COPY_OPTIONS`.

    Texts, dates and decimals are quoted, so that only a missing value is a bare `null`.
    """
    lines = _ENCODER.encode_lines(rows)
    # A line feed stands only between two arrays, since JSON escapes it within them.
    text = lines[1:-2].replace(b"]\n[", b"\n")
    return (_ESCAPE.sub(_unescaped, text) if b"\\" in text else text) + lines[-1:]


def _unescaped(match: re.Match[bytes]) -> bytes:
    """What CSV wants for a JSON escape: the same for a quote or a backslash, the character itself for any other."""
    escaped = match[1]
    if escaped[:1] == b"u":
        return chr(int(escaped[1:], 16)).encode()
    return _SHORT.get(escaped, match[0])
