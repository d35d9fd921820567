import os
import time

import pytest

from integrations.postgres.locks import exclusive
from tests.integrations.postgres.processes import FORK, start

LOCK = 4_711


def take(url, lock, told):
    with exclusive(url, lock):
        told.send(time.monotonic())


@pytest.fixture
def waiting_process(database_url):
    """Start a process that takes a lock, and where it tells when it has."""
    children = []

    def begin(lock=LOCK):
        reader, writer = FORK.Pipe(duplex=False)
        children.append(start(take, database_url, lock, writer))
        return reader

    yield begin
    for child in children:
        child.join(10)


def test_a_second_process_waits_until_the_first_is_done(database_url, waiting_process):
    with exclusive(database_url, LOCK):
        told = waiting_process()
        assert not told.poll(0.3)
        released = time.monotonic()
    assert told.poll(10)
    assert told.recv() >= released


def test_another_lock_is_another_matter(database_url, waiting_process):
    with exclusive(database_url, LOCK):
        assert waiting_process(LOCK + 1).poll(10)


def test_an_exception_gives_the_lock_back(database_url, waiting_process):
    with pytest.raises(RuntimeError, match="half done"), exclusive(database_url, LOCK):
        raise RuntimeError("half done")
    assert waiting_process().poll(10)


def test_a_process_that_dies_gives_the_lock_back(database_url, waiting_process):
    reader, writer = FORK.Pipe(duplex=False)

    def die():
        with exclusive(database_url, LOCK):
            writer.send("locked")
            time.sleep(60)

    holder = start(die)
    assert reader.poll(10)
    told = waiting_process()
    assert not told.poll(0.1)
    os.kill(holder.pid, 9)
    assert told.poll(10)
    holder.join(10)
