"""A JSON array of events, as a CloudEvents batch is one: split into its elements while it is read.

The splitter knows strings and brackets and nothing else; whether an element is sound JSON is judged where a line is.
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import BinaryIO

from integrations.events.readers import UnreadableFile, start_of

__all__ = ["array_elements"]

READ_SIZE = 1 << 20
LONGEST_ELEMENT = 1 << 26
# The quantifiers are possessive: what is no match yet fails at once, and without a stack.
STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRING = re.compile(STRING, re.DOTALL)
_TO_BRACKET = re.compile(rb'[^"\[\]{}]*+(?:' + STRING + rb'[^"\[\]{}]*+)*+([\[\]{}])', re.DOTALL)
_WORD = re.compile(rb'[^",\[\]{}\x00-\x20]*+')
_BLANK = re.compile(rb"[ \t\r\n]*+")
_MARK = re.compile(rb"[ \t\r\n]*+(.?)", re.DOTALL)


def array_elements(file: BinaryIO, name: str) -> Iterator[bytes]:
    """The bytes of each element, in order; memory holds a few of them at a time.

    Args:
        file: decompressed; its first byte that is no blank is `[`.
        name: of the file, for errors.

    Raises:
        UnreadableFile: naming the element, where the array is no JSON between its elements, breaks off, or has an
            element above 64 MiB.
    """
    buffer, position = start_of(file, READ_SIZE), 1
    for number in count(1):
        while (found := _element(buffer, position, number, name)) is None:
            buffer, position = buffer[position:], 0
            if len(buffer) > LONGEST_ELEMENT:
                raise UnreadableFile(f"{name} has an element {number:,} of more than 64 MiB")
            if not (more := file.read(max(READ_SIZE, len(buffer)))):
                raise UnreadableFile(f"{name} breaks off in element {number:,} of its JSON array; send it again")
            buffer += more
        start, end, position = found
        if end > start:
            yield buffer[start:end]
        if buffer[position - 1 : position] == b"]":
            break
    _expect_end(file, buffer[position:], name)


def _element(buffer: bytes, position: int, number: int, name: str) -> tuple[int, int, int] | None:
    """Where an element begins and ends, and where the mark behind it ends; None when more must be read to know."""
    start = _past(_BLANK, buffer, position)
    end = _end(buffer, start)
    if end is None or (match := _MARK.match(buffer, end)) is None or not match[1]:
        return None
    is_empty_array = number == 1 and match[1] == b"]"
    if match[1] not in b",]" or (start == end and not is_empty_array):
        raise UnreadableFile(f"{name} is no JSON array: {_shown(match[1])} stands at element {number:,}")
    return start, end, match.end()


def _end(buffer: bytes, start: int) -> int | None:
    """Where the element that begins at `start` ends; None when its end was not read yet."""
    first = buffer[start : start + 1]
    if first == b'"':
        match = _STRING.match(buffer, start)
        return match.end() if match else None
    if first not in (b"{", b"["):
        return _past(_WORD, buffer, start)
    position, depth = start + 1, 1
    while depth:
        if (match := _TO_BRACKET.match(buffer, position)) is None:
            return None
        depth += 1 if match[1] in b"{[" else -1
        position = match.end()
    return position


def _past(pattern: "re.Pattern[bytes]", buffer: bytes, position: int) -> int:
    match = pattern.match(buffer, position)
    return match.end() if match else position


def _shown(mark: bytes) -> str:
    return repr(mark.decode("latin-1"))


def _expect_end(file: BinaryIO, rest: bytes, name: str) -> None:
    while not rest.strip(b" \t\r\n"):
        if not (rest := file.read(READ_SIZE)):
            return
    raise UnreadableFile(f"{name} goes on after the end of its JSON array")
