"""Run functions in processes of their own, all at the same moment."""

import os
import traceback
import warnings
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

FORK = get_context("fork")


def start(target: Callable[..., None], *arguments: Any):
    """A running child process that shares what is imported already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside the threads of other tests is meant
        process = FORK.Process(target=target, args=arguments, daemon=True)
        process.start()
    return process


def at_the_same_time(*calls: Callable[[], Any], uid: int | None = None) -> list[Any]:
    """What the calls return, each made in a process of its own; an exception in one is raised here, with its trace."""
    gate = FORK.Barrier(len(calls))
    pipes = [FORK.Pipe(duplex=False) for _ in calls]
    children = [start(_run, call, gate, writer, uid) for call, (_, writer) in zip(calls, pipes, strict=True)]
    answers = [reader.recv() if reader.poll(60) else (False, "no answer") for reader, _ in pipes]
    for child in children:
        child.join(10)
    for is_ok, answer in answers:
        assert is_ok, answer
    return [answer for _, answer in answers]


def _run(call, gate, writer, uid) -> None:
    try:
        if uid is not None:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        gate.wait(30)
        writer.send((True, call()))
    except BaseException:
        writer.send((False, traceback.format_exc()))
