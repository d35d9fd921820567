"""The landing folder: one subfolder per feed, and which of its files have not been loaded yet."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import Connection

from integrations.events.directory_rows import ReadDirectory, read_directory
from integrations.events.feeds import load_feed, load_plans
from integrations.events.holding import DEFAULT_RULE, HoldRule
from integrations.events.ledger import Arrival, LoadReport, record_failure
from integrations.events.loader import load_events
from integrations.events.mapping import MappingError, load_mapping
from integrations.events.prices import PriceReader
from integrations.events.publish import Restore

__all__ = ["FEED_ORDER", "MAPPING", "FileState", "LandingFile", "landing_files", "load_file", "pending_files"]

FEED_ORDER = ("companies", "branches", "plans", "subscriptions", "kpis", "events")
MAPPING = "mapping.yaml"


@dataclass(frozen=True)
class FileState:
    """What tells whether a file changed.

    Attributes:
        size: in bytes.
        modified_at: when its content changed.
        changed_at: when anything changed that may mend a failure: its content, its permissions or its mapping.
    """

    size: int
    modified_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, path: Path, mapping: Path | None) -> "FileState":
        """The state of a local file."""
        status = path.stat()
        changed_at = max(status.st_ctime, mapping.stat().st_ctime if mapping else 0)
        return cls(
            status.st_size, datetime.fromtimestamp(status.st_mtime, UTC), datetime.fromtimestamp(changed_at, UTC)
        )


@dataclass(frozen=True)
class LandingFile:
    """A file that arrived, for which feed, and the source mapping that lies beside it, if one does.

    Attributes:
        path: where it lies; for one in a remote zone, the path there until it is fetched.
        name: its path below the feed's folder, by which the book of loads knows it; else the file's own name.
        listed: its state as a remote zone lists it; of a local file the file system tells.
    """

    feed: str
    path: Path
    mapping: Path | None = None
    name: str | None = None
    listed: FileState | None = None

    def state(self) -> FileState:
        """What tells whether the file changed."""
        return self.listed or FileState.of(self.path, self.mapping)


def landing_files(folder: Path) -> list[LandingFile]:
    """Every file of the landing folder in the order in which files must be loaded: what names companies first.

    Hidden files and folders are still being written, and are left alone; a `mapping.yaml` explains the files beside it.

    Raises:
        FileNotFoundError: when the folder does not exist, which is not the same as empty.
        PermissionError: when a folder below it can't be read, which is not the same as empty either.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"The landing folder {folder} does not exist. Create it, or set LANDING_FOLDER or LANDING_URL."
        )
    found = []
    for feed in FEED_ORDER:
        for path in _visible_files(folder / feed):
            if path.name != MAPPING:
                mapping = path.parent / MAPPING
                name = path.relative_to(folder / feed).as_posix()
                found.append(LandingFile(feed, path, mapping if feed == "events" and mapping.exists() else None, name))
    return found


def pending_files(connection: Connection, files: Iterable[LandingFile]) -> list[LandingFile]:
    """The files that no load has seen as they are; one that failed is tried again when it or its mapping changed."""
    rows = connection.execute("select feed, file_name, file_size, file_modified_at, status = 'failed' from raw.loads")
    loaded: set[tuple[Any, ...]] = set()
    failed: set[tuple[Any, ...]] = set()
    for *seen, is_failed in rows:
        (failed if is_failed else loaded).add(tuple(seen))

    def is_pending(file: LandingFile) -> bool:
        key, state = (file.feed, file.name or file.path.name), file.state()
        is_loaded = (*key, state.size, state.modified_at) in loaded
        return not is_loaded and (*key, state.size, state.changed_at) not in failed

    return list(filter(is_pending, files))


def load_file(
    connection: Connection,
    file: LandingFile,
    now: datetime,
    prices: PriceReader,
    hold: HoldRule = DEFAULT_RULE,
    restore: Restore | None = None,
    directory: ReadDirectory = read_directory,
) -> LoadReport:
    """Load one file by the reader of its feed; see `load_events`, `load_feed` and `load_plans`."""
    changed_at = file.state().changed_at if file.path.exists() else now
    report = _load(connection, file, now, prices, hold, restore, directory)
    if report.status == "failed":
        connection.execute(
            "update raw.loads set file_modified_at = %s where load_id = %s", [changed_at, report.load_id]
        )
    return report


def _load(
    connection: Connection,
    file: LandingFile,
    now: datetime,
    prices: PriceReader,
    hold: HoldRule,
    restore: Restore | None,
    directory: ReadDirectory,
) -> LoadReport:
    if file.feed == "events":
        try:
            mapping = load_mapping(file.mapping) if file.mapping else None
        except MappingError as error:
            arrival = Arrival.of(file.feed, file.path, file.name, now)
            return record_failure(connection, arrival, now, f"{arrival.name} was not read: {error}")
        return load_events(
            connection, file.path, now, mapping, hold, name=file.name, restore=restore, directory=directory
        )
    if file.feed == "plans":
        return load_plans(connection, file.path, now, prices.plans, file.name)
    return load_feed(connection, file.feed, file.path, now, file.name, prices.problems)


def _visible_files(folder: Path) -> list[Path]:
    def fail(error: OSError) -> None:
        raise error

    found: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=fail) if folder.exists() else ():
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.is_file())
