"""Processes that parse blocks of a file side by side, and give them back in order.

They are plain children that import the parser and nothing else: `multiprocessing` would import the main module of
whoever loads a file (Dagster, a test run) in each of them, which costs more than most files take.
"""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["parser_pool", "usable_processes"]

MOST_PROCESSES = 3
WAITING_PER_PROCESS = 6  # blocks: what is parsed while the database publishes
B = TypeVar("B")
R = TypeVar("R")


def usable_processes() -> int:
    """How many processes may parse at the same time on this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_PROCESSES, cores)


@contextmanager
def parser_pool(parse: Callable[[B], R], count: int) -> Iterator[Callable[[Iterable[B]], Iterator[R]]]:
    """A function that maps `parse` over blocks in `count` processes, in order, reading only a few blocks ahead.

    Raises:
        RuntimeError: here or in the function, when a process ended before its work was done.
    """
    idle: SimpleQueue[Connection[Any, Any]] = SimpleQueue()
    processes = []
    try:
        for _ in range(count):
            process, connection = _start()
            processes.append(process)
            idle.put(connection)
            with _it_lives():
                connection.send(parse)
        with ThreadPoolExecutor(count) as threads:
            yield lambda blocks: _in_order(threads, idle, blocks, count * WAITING_PER_PROCESS)
    finally:
        for process in processes:
            process.kill()  # it holds nothing but a block of lines
            process.wait()
        while not idle.empty():
            idle.get().close()


def _start() -> "tuple[subprocess.Popen[bytes], Connection[Any, Any]]":
    here, there = Pipe()
    with there:
        command = [sys.executable, "-m", __name__, str(there.fileno())]
        root = Path(__file__).parents[__name__.count(".")]
        process = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, pass_fds=[there.fileno()])
    return process, here


def _in_order(
    threads: ThreadPoolExecutor, idle: "SimpleQueue[Connection[Any, Any]]", blocks: Iterable[Any], ahead: int
) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque()
    for block in blocks:
        waiting.append(threads.submit(_ask, idle, block))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _ask(idle: "SimpleQueue[Connection[Any, Any]]", block: Any) -> Any:
    connection = idle.get()
    try:
        with _it_lives():
            connection.send(block)
            return connection.recv()
    finally:
        idle.put(connection)


@contextmanager
def _it_lives() -> Iterator[None]:
    """Say in words when the process at the other end of a connection is gone."""
    try:
        yield
    except (EOFError, OSError) as error:
        raise RuntimeError("A process that parses events ended unexpectedly; nothing was loaded.") from error


def _serve(connection: "Connection[Any, Any]") -> None:
    """Parse what comes in until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the loader decides what it means
    try:
        parse = connection.recv()
        while True:
            connection.send(parse(connection.recv()))
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
