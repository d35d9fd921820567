"""The embedded PostgreSQL: started, found and stopped by its own `pg_ctl`, safely from several processes."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psycopg

from integrations.postgres.site import Site, find_site

__all__ = ["EmbeddedServer", "ServerError"]

USER = "pipeline"
START_ATTEMPTS = 8
INITDB_OPTIONS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--data-checksums",
    # Iterations slow down whoever guesses, and each connection of ours; the password here is 192 random bits.
    "--set=scram_iterations=1",
)
SETTINGS = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
scram_iterations = 4096
timezone = 'UTC'
log_timezone = 'UTC'
shared_buffers = '256MB'
work_mem = '32MB'
maintenance_work_mem = '256MB'
max_wal_size = '2GB'
wal_level = minimal
max_wal_senders = 0
jit = off
"""


class ServerError(RuntimeError):
    """The embedded server could not be started or stopped."""


class EmbeddedServer:
    """One PostgreSQL cluster below `home`; many processes may ask the same home for it at the same time.

    It listens on loopback only, on a port that was free at its start, and asks for a password that only the user who
    runs the pipeline can read. There is no unix socket, so no limit on the length of a path.

    Args:
        home: folder of the cluster (created when missing).
        settings: further lines for the server's configuration, e.g. ``fsync = off`` in tests.
        system_home: where root puts the cluster if an unprivileged user may not enter `home`.
    """

    def __init__(self, home: Path, settings: str = "", system_home: Path | None = None) -> None:
        home = home.resolve()
        self.site: Site = find_site(home, system_home) if system_home else find_site(home)
        self.settings = SETTINGS + settings

    def start(self) -> None:
        """Make the server run; does nothing when it already answers.

        Raises:
            ServerError: with the last lines of the server's log.
        """
        if self.is_alive():
            return
        with self.site.lock():
            if self.is_alive():
                return
            if not (self.site.data / "PG_VERSION").exists():
                self._create_cluster()
            self._write_settings()
            self._drop_stale_pid()
            self._launch()

    def stop(self) -> bool:
        """Stop the server; tells whether one was running."""
        if not self.site.base.exists():
            return False
        with self.site.lock():
            if not self.is_alive():
                return False
            stopped = self._run("pg_ctl", "stop", "-D", str(self.site.data), "-m", "fast", "-w")
            if stopped.returncode:
                raise ServerError(f"PostgreSQL did not stop: {stopped.stdout.strip()}")
            return True

    def is_alive(self) -> bool:
        """Tell whether it answers a real connection: a pid says nothing after a crash."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=3).close()
        except (psycopg.OperationalError, ServerError):
            return False
        return True

    def url(self, database: str) -> str:
        """The connection URL of `database` on the running server."""
        try:
            password = self._password_file.read_text()
            port = int((self.site.data / "postmaster.pid").read_text().splitlines()[3])
        except (OSError, IndexError, ValueError) as error:
            raise ServerError("The embedded PostgreSQL is not running. Run `usage-pricing up`.") from error
        return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{database}"

    @property
    def _password_file(self) -> Path:
        return self.site.base / "password"

    def _create_cluster(self) -> None:
        # A creation that was killed leaves a cluster that looks complete but never starts: so it gets its name last.
        partial = self.site.base / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        self._make_owned_folder(partial)
        self._password_file.unlink(missing_ok=True)
        with os.fdopen(os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
        self._hand_over(self._password_file)
        options = ("-D", str(partial), "-U", USER, f"--pwfile={self._password_file}", *INITDB_OPTIONS)
        created = self._run("initdb", *options)
        if created.returncode:
            raise ServerError(f"PostgreSQL could not create its cluster in {partial}: {created.stdout.strip()}")
        partial.rename(self.site.data)

    def _write_settings(self) -> None:
        folder = self.site.data / "conf.d"
        self._make_owned_folder(folder)
        (folder / "usage_pricing.conf").write_text(self.settings)
        (folder / "usage_pricing.conf").chmod(0o644)
        main = self.site.data / "postgresql.conf"
        if "include_dir = 'conf.d'" not in main.read_text():
            with main.open("a") as file:
                file.write("\ninclude_dir = 'conf.d'\n")
        if not self.site.log.exists():
            self.site.log.touch(mode=0o600)
        self._hand_over(self.site.log)

    def _drop_stale_pid(self) -> None:
        """Delete the pid file of a killed server when its pid is a zombie's, or by now somebody else's.

        PostgreSQL would take that process for itself and never start again. The lock on its shared memory, which goes
        by the folder's inode, still keeps two servers apart.
        """
        pid_file = self.site.data / "postmaster.pid"
        if not (pid_file.exists() and Path("/proc/self").exists()):
            return
        pid = pid_file.read_text().partition("\n")[0].lstrip("-")
        try:
            is_ours = Path("/proc", pid, "cwd").samefile(self.site.data)
        except FileNotFoundError:
            is_ours = False
        except PermissionError:
            return
        if not is_ours:
            pid_file.unlink()

    def _launch(self) -> None:
        # A killed server's workers may hold its shared memory for a moment, and a free port may be taken in between.
        for attempt in range(START_ATTEMPTS):
            time.sleep(0.25 * attempt)
            files = ("-D", str(self.site.data), "-l", str(self.site.log))
            self._run("pg_ctl", "start", *files, "-w", "-t", "60", "-o", f"-p {_free_port()}")
            if self.is_alive():
                return
        tail = "\n".join(self.site.log.read_text(errors="replace").splitlines()[-5:])
        raise ServerError(f"PostgreSQL did not start; the end of {self.site.log} says:\n{tail}")

    def _make_owned_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._hand_over(folder)

    def _hand_over(self, path: Path) -> None:
        if self.site.owner:
            os.chown(path, self.site.owner.uid, self.site.owner.gid)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        owner = self.site.owner
        return subprocess.run(
            [self.site.binaries / "bin" / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            check=False,
            timeout=120,
            user=owner.uid if owner else None,
            group=owner.gid if owner else None,
            extra_groups=[] if owner else None,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
