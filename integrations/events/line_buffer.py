"""Lines on their way to a file: buffered in bounded memory, written in the background, safe with threads and forks."""

import atexit
import logging
import os
from collections.abc import Callable, Sequence
from threading import Condition, Lock, Thread

__all__ = ["LineBuffer"]

logger = logging.getLogger(__name__)


class LineBuffer:
    """Collects lines and hands them to `write`, in a thread of its own that starts with the first line.

    A line leaves the buffer after it was written, so that a failure loses nothing and an interruption repeats at most.

    Args:
        name: how log messages call it.
        write: writes lines or raises; never called by two threads at once.
        flush_at: so many lines are written at once.
        flush_seconds: so long the first of them waits; also the pause after a failure.
        most_buffered: lines beyond that are dropped and counted.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[bytes]], None],
        flush_at: int,
        flush_seconds: float,
        most_buffered: int,
    ) -> None:
        if not 1 <= flush_at <= most_buffered or flush_seconds <= 0:
            raise ValueError("flush_at must be from 1 to most_buffered, and flush_seconds above 0.")
        self._name = name
        self._write = write
        self._flush_at = flush_at
        self._flush_seconds = flush_seconds
        self._most_buffered = most_buffered
        self._is_closed = False
        self.start_empty()
        _BUFFERS.add(self)

    @property
    def dropped(self) -> int:
        """How many lines were lost in this process because too many waited."""
        return self._dropped

    def add(self, line: bytes) -> None:
        """Take one line; at most `most_buffered` wait.

        Raises:
            ValueError: after `close`.
        """
        with self._changed:
            if self._is_closed:
                raise ValueError("The tracker is closed; track before that.")
            is_full = len(self._lines) >= self._most_buffered
            if is_full:
                self._dropped += 1
            else:
                self._lines.append(line)
            is_first_dropped = is_full and self._dropped == 1
            if len(self._lines) in (1, self._flush_at):
                self._changed.notify()
            if self._thread is None:
                self._start_thread()
        if is_first_dropped:
            logger.error("%s: %d events wait to be written; more are dropped.", self._name, self._most_buffered)

    def flush(self) -> None:
        """Write all lines that were added before; raises whatever `write` raises, and keeps the lines then."""
        with self._writing:
            if lines := self._lines[:]:
                self._write(lines)
                with self._changed:
                    del self._lines[: len(lines)]

    def close(self) -> None:
        """Take no more lines, and `flush`; a flush that fails may be repeated."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self.flush()
        if self._dropped:
            logger.error("%s: %d events were dropped in all.", self._name, self._dropped)
        _BUFFERS.discard(self)

    def close_at_exit(self) -> None:
        """Close, and say in the log what is lost by that."""
        try:
            self.close()
        except Exception as error:
            lost = len(self._lines) + self._dropped
            logger.error("%s: %d events are lost, as the process ends: %s", self._name, lost, error)

    def start_empty(self) -> None:
        """Begin without lines, thread and held locks; in a child process, these stay with the parent."""
        self._lines: list[bytes] = []
        self._dropped = 0
        self._changed = Condition()
        self._writing = Lock()
        self._thread: Thread | None = None

    def _start_thread(self) -> None:
        thread = Thread(target=self._write_when_due, name=f"tracker {self._name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            logger.warning("%s: events wait for a flush by hand or at exit: %s", self._name, error)
        else:
            self._thread = thread

    def _write_when_due(self) -> None:
        while self._wait_until_due():
            try:
                self.flush()
            except Exception as error:
                waiting, dropped = len(self._lines), self._dropped
                logger.error("%s: %d events wait, %d were dropped: %s", self._name, waiting, dropped, error)
                with self._changed:
                    self._changed.wait_for(lambda: self._is_closed, self._flush_seconds)

    def _wait_until_due(self) -> bool:
        """Wait for enough lines, or for the first of them to be old enough; False when there is nothing left to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._is_closed)
            self._changed.wait_for(self._is_due, self._flush_seconds)
            return not self._is_closed

    def _is_due(self) -> bool:
        return self._is_closed or len(self._lines) >= self._flush_at


_BUFFERS: set[LineBuffer] = set()  # those that are not closed


@atexit.register
def _close_all() -> None:
    for buffer in list(_BUFFERS):
        buffer.close_at_exit()


def _start_all_empty() -> None:
    for buffer in list(_BUFFERS):
        buffer.start_empty()


os.register_at_fork(after_in_child=_start_all_empty)
