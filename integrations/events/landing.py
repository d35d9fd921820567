"""The landing folder: one subfolder per feed, and which of its files have not been loaded yet."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import Connection

from integrations.events.feeds import load_feed, load_plans
from integrations.events.ledger import LoadReport, record_failure
from integrations.events.loader import load_events
from integrations.events.mapping import MappingError, load_mapping

__all__ = ["FEED_ORDER", "LandingFile", "landing_files", "load_file", "pending_files"]

FEED_ORDER = ("companies", "branches", "plans", "subscriptions", "events")
MAPPING = "mapping.yaml"
ParsePlans = Callable[[str, str], Iterable[Mapping[str, Any]]]


@dataclass(frozen=True)
class LandingFile:
    """A file that arrived, for which feed, and the source mapping that lies beside it, if one does."""

    feed: str
    path: Path
    mapping: Path | None = None


def landing_files(folder: Path) -> list[LandingFile]:
    """Every file of the landing folder in the order in which files must be loaded: what names companies first.

    Hidden files are still being written, and are left alone; a `mapping.yaml` explains the files beside it.

    Raises:
        FileNotFoundError: when the folder does not exist, which is not the same as empty.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"The landing folder {folder} does not exist. Create it, or set LANDING_FOLDER.")
    found = []
    for feed in FEED_ORDER:
        for path in sorted((folder / feed).rglob("*")):
            if path.is_file() and not path.name.startswith(".") and path.name != MAPPING:
                mapping = path.parent / MAPPING
                found.append(LandingFile(feed, path, mapping if feed == "events" and mapping.exists() else None))
    return found


def pending_files(connection: Connection, files: Iterable[LandingFile]) -> list[LandingFile]:
    """The files that no load has seen as they are now; one that failed is tried again when it was changed."""
    seen = set(connection.execute("select feed, file_name, file_size, file_modified_at from raw.loads").fetchall())
    return [file for file in files if (file.feed, file.path.name, *_state(file.path)) not in seen]


def load_file(connection: Connection, file: LandingFile, now: datetime, parse_plans: ParsePlans) -> LoadReport:
    """Load one file by the reader of its feed; see `load_events`, `load_feed` and `load_plans`."""
    if file.feed == "events":
        try:
            mapping = load_mapping(file.mapping) if file.mapping else None
        except MappingError as error:
            return record_failure(connection, file.feed, file.path, now, f"{file.path.name} was not read: {error}")
        return load_events(connection, file.path, now, mapping)
    if file.feed == "plans":
        return load_plans(connection, file.path, now, parse_plans)
    return load_feed(connection, file.feed, file.path, now)


def _state(path: Path) -> tuple[int, datetime]:
    status = path.stat()
    return status.st_size, datetime.fromtimestamp(status.st_mtime, UTC)
