import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from integrations.postgres import server as server_module
from integrations.postgres.server import EmbeddedServer, ServerError
from tests.integrations.postgres.processes import at_the_same_time

is_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, which only Linux has")


@pytest.fixture(scope="module")
def running(new_server):
    made = new_server("running")
    made.start()
    return made


@pytest.fixture(autouse=True)
def running_again(running):
    """Each test finds the server running."""
    running.start()


def postmaster(server):
    return int((server.site.data / "postmaster.pid").read_text().splitlines()[0])


def started_at(server):
    with psycopg.connect(server.url("postgres")) as connection:
        return connection.execute("select pg_postmaster_start_time()").fetchone()[0]


def kill(server):
    os.kill(postmaster(server), signal.SIGKILL)


def dies(server):
    deadline = time.monotonic() + 10
    while server.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_url_leads_to_a_postgresql_18_in_utf8_and_utc(running):
    with psycopg.connect(running.url("postgres")) as connection:
        settings = connection.execute(
            "select current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),"
            " current_setting('timezone'), current_setting('data_checksums')"
        ).fetchone()
    assert settings == (18, "UTF8", "UTC", "on")


def test_only_the_password_that_nobody_can_guess_is_quick_to_check(running):
    with psycopg.connect(running.url("postgres")) as connection:
        connection.execute("create role analyst password 'guess-me'")
        roles = connection.execute(
            "select rolname, split_part(rolpassword, ':', 1) from pg_authid where rolpassword is not null order by 1"
        ).fetchall()
        connection.rollback()
    assert roles == [("analyst", "SCRAM-SHA-256$4096"), ("pipeline", "SCRAM-SHA-256$1")]


def test_starting_a_running_server_leaves_it_as_it_is(running):
    before = postmaster(running), started_at(running)
    running.start()
    EmbeddedServer(running.site.base).start()
    assert (postmaster(running), started_at(running)) == before


def test_four_processes_that_start_it_at_once_get_one_server(new_server):
    server = new_server("raced")

    def start():
        EmbeddedServer(server.site.base, "fsync = off\nshared_buffers = '16MB'\n").start()
        return postmaster(server), server.url("postgres")

    answers = at_the_same_time(*[start] * 4)
    assert len(set(answers)) == 1
    assert server.is_alive()


def test_after_a_kill_it_starts_again_with_its_data(running, number_kept_in):
    number_kept_in(running, store=42)
    kill(running)
    running.start()
    assert number_kept_in(running) == 42


def test_after_a_kill_four_processes_bring_one_server_back(running):
    kill(running)
    dies(running)
    assert len(set(at_the_same_time(*[lambda: (running.start(), postmaster(running))[1]] * 4))) == 1


@is_linux
@pytest.mark.parametrize("is_zombie", [False, True], ids=["a living stranger", "a zombie"])
def test_a_pid_file_that_names_somebody_else_does_not_keep_it_from_starting(running, is_zombie):
    kill(running)
    dies(running)
    owner = running.site.data.stat()
    stranger = subprocess.Popen(
        ["true" if is_zombie else "sleep", "60"],
        **({"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}),
    )
    try:
        while is_zombie and "State:\tZ" not in Path(f"/proc/{stranger.pid}/status").read_text():
            time.sleep(0.01)
        pid_file = running.site.data / "postmaster.pid"
        _, *rest = pid_file.read_text().splitlines(keepends=True)
        pid_file.write_text("".join([f"{stranger.pid}\n", *rest]))
        running.start()
        assert postmaster(running) != stranger.pid
    finally:
        stranger.kill()
        stranger.wait()


def test_a_creation_that_was_killed_does_not_keep_it_from_starting(new_server):
    server = new_server("interrupted")
    partial = server.site.base / "data.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18\n")
    (server.site.base / "password").touch()
    server.site.base.chmod(0o755)
    server.start()
    assert server.is_alive()
    assert not partial.exists()


def test_two_servers_run_side_by_side_on_ports_of_their_own(running, server):
    assert make_url(running.url("x")).port != make_url(server.url("x")).port
    assert running.is_alive()
    assert server.is_alive()


def test_a_server_whose_port_was_taken_over_is_not_mistaken_for_alive(running, server):
    running.stop()
    pid_file = running.site.data / "postmaster.pid"
    pid_file.write_text((server.site.data / "postmaster.pid").read_text())
    try:
        assert not running.is_alive()
    finally:
        pid_file.unlink()


def test_stopping_tells_whether_it_ran_and_then_it_is_gone(running):
    assert running.stop() is True
    assert running.is_alive() is False
    assert running.stop() is False
    with pytest.raises(ServerError, match=r"not running.*usage-pricing up"):
        running.url("postgres")


def test_stopping_what_never_was_creates_nothing(new_server):
    server = new_server("never")
    assert server.stop() is False
    assert not server.site.base.exists()


def test_the_password_is_for_its_user_alone(running):
    password = running.site.base / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert stat.S_IMODE(running.site.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(running.site.log.stat().st_mode) == 0o600
    assert len(password.read_text()) >= 32


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_is_refused(running, password):
    url = make_url(running.url("postgres")).set(password=password).render_as_string(hide_password=False)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url).close()


@is_linux
def test_it_listens_on_loopback_and_nowhere_else(running):
    port = make_url(running.url("x")).port
    listening = [
        columns[1].partition(":")[0]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(table).exists()
        for columns in map(str.split, Path(table).read_text().splitlines()[1:])
        if columns[1].endswith(f":{port:04X}") and columns[3] == "0A"
    ]
    assert listening == ["0100007F"]
    with psycopg.connect(running.url("postgres")) as connection:
        assert connection.execute("show unix_socket_directories").fetchone() == ("",)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=1).close()


def test_a_server_that_can_not_start_quotes_its_log(running, monkeypatch):
    monkeypatch.setattr(server_module, "START_ATTEMPTS", 1)
    running.stop()
    broken = EmbeddedServer(running.site.base, "no_such_setting = 1\n")
    with pytest.raises(ServerError, match=r"(?s)did not start.*server\.log.*no_such_setting"):
        broken.start()
