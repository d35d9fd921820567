"""Where files land: a local folder, or a folder behind any URL that fsspec can read."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from integrations.events.landing import FEED_ORDER, MAPPING, FileState, LandingFile, landing_files
from integrations.urls import without_credentials

__all__ = ["LandingZone", "LocalZone", "RemoteZone", "ZoneError", "landing_zone"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class ZoneError(Exception):
    """A remote zone, or a file in it, that can't be read; the sentence names the URL without its credentials."""


class LandingZone(Protocol):
    """One folder per feed, and the files in them."""

    def create(self) -> None:
        """Create the zone where that is ours to do."""

    def files(self) -> list[LandingFile]:
        """Every file in the order in which files must be loaded; see `landing_files`.

        Raises:
            FileNotFoundError: when a local zone does not exist.
            PermissionError: when a folder of a local zone can't be read.
            ZoneError: when a remote zone does not exist or can't be read.
        """

    def fetch(self, file: LandingFile) -> AbstractContextManager[LandingFile]:
        """The same file with a local path, for the time of its load.

        Raises:
            ZoneError: when it can't be copied.
        """


def landing_zone(location: str) -> LandingZone:
    """The zone at a local path or a URL.

    Raises:
        ZoneError: when the URL is of an unknown kind, or its driver is not installed.
    """
    if "://" not in location or location.startswith("file://"):
        return LocalZone(Path(location.removeprefix("file://")))
    import fsspec.core

    shown = without_credentials(location)
    try:
        file_system, root = fsspec.core.url_to_fs(location)
    except ImportError as error:
        raise ZoneError(f"LANDING_URL {shown} needs a driver that is not installed: {error}") from None
    except Exception as error:
        raise ZoneError(f"LANDING_URL {shown} can't be used: {_harmless(error, location)}") from None
    return RemoteZone(location, file_system, root.rstrip("/"))


@dataclass(frozen=True)
class LocalZone:
    """A folder of this machine."""

    folder: Path

    def create(self) -> None:
        """Create the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def files(self) -> list[LandingFile]:
        """See `landing_files`."""
        return landing_files(self.folder)

    def fetch(self, file: LandingFile) -> AbstractContextManager[LandingFile]:
        """The file itself."""
        return nullcontext(file)


@dataclass(frozen=True)
class RemoteZone:
    """A folder behind a URL, whose files are copied here while they are loaded.

    Attributes:
        url: with its credentials.
        file_system: of fsspec.
        root: the folder in it; a path without a leading slash begins with the bucket of an object store.
    """

    url: str
    file_system: Any
    root: str

    def create(self) -> None:
        """Nothing: what lies elsewhere is not ours to create."""

    def files(self) -> list[LandingFile]:
        """Every visible file of the feeds, as the zone lists it now."""
        with self._named("can't be read"):
            self.file_system.invalidate_cache()
            found = [file for feed in FEED_ORDER for file in self._files_of(feed)]
            is_there = bool(found) or self._is_there()
        if not is_there:
            shown = without_credentials(self.url)
            raise ZoneError(f"The landing zone {shown} does not exist. Create it, or set LANDING_URL to another.")
        return found

    @contextmanager
    def fetch(self, file: LandingFile) -> Iterator[LandingFile]:
        """A copy in a temporary folder, under the file's own name and with its time."""
        with tempfile.TemporaryDirectory(prefix="usage-pricing-") as folder:
            path, mapping = Path(folder, "file", file.path.name), Path(folder, MAPPING)
            with self._named(f"does not give {file.name}"):
                self._copy(file.path, path)
                if file.mapping:
                    self._copy(file.mapping, mapping)
            modified = (file.state().modified_at - EPOCH) // MICROSECOND * 1000
            os.utime(path, ns=(modified, modified))
            yield replace(file, path=path, mapping=mapping if file.mapping else None)

    def _copy(self, remote: Path, local: Path) -> None:
        local.parent.mkdir(exist_ok=True)
        self.file_system.get_file(str(remote), str(local))

    def _files_of(self, feed: str) -> Iterator[LandingFile]:
        folder = PurePosixPath(self.root, feed)
        listing = self._listing(folder)
        for path in sorted(listing):
            name = path.relative_to(folder)
            if name.name != MAPPING and not any(part.startswith(".") for part in name.parts):
                mapping = path.parent / MAPPING if feed == "events" and path.parent / MAPPING in listing else None
                modified_at = self._modified_at(path)
                changed_at = max(modified_at, self._modified_at(mapping)) if mapping else modified_at
                state = FileState(listing[path]["size"] or 0, modified_at, changed_at)
                yield LandingFile(feed, Path(path), Path(mapping) if mapping else None, name.as_posix(), state)

    def _listing(self, folder: PurePosixPath) -> dict[PurePosixPath, dict[str, Any]]:
        try:
            found = list(self._below(str(folder)))
        except FileNotFoundError:
            return {}
        return {PurePosixPath(info["name"]): info for info in found if info["type"] == "file"}

    def _below(self, folder: str) -> Iterator[dict[str, Any]]:
        if not self.root.startswith("/"):  # an object store lists a prefix in one request
            yield from self.file_system.find(folder, detail=True).values()
            return
        for info in self.file_system.ls(folder, detail=True):  # `find` would pass over what it can't read
            if info["type"] == "directory":
                yield from self._below(info["name"])
            else:
                yield info

    def _modified_at(self, path: PurePosixPath) -> datetime:
        modified: datetime = self.file_system.modified(str(path))
        return modified if modified.tzinfo else modified.replace(tzinfo=UTC)

    def _is_there(self) -> bool:
        """Tell whether there is such a folder or, since a prefix without files is none, such a bucket."""
        try:
            self.file_system.info(self.root if self.root.startswith("/") else self.root.partition("/")[0])
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _named(self, problem: str) -> Iterator[None]:
        """Turn what a driver raises, whatever that is, into a sentence; its own text may hold the credentials."""
        try:
            yield
        except Exception as error:
            zone, cause = without_credentials(self.url), _harmless(error, self.url)
            advice = "Check LANDING_URL, its credentials and the network."
            raise ZoneError(f"The landing zone {zone} {problem}: {cause}. {advice}") from None


def _harmless(error: Exception, url: str) -> str:
    """The text of an error without the credentials of a URL."""
    text = f"{type(error).__name__}: {error}".replace(url, without_credentials(url))
    match = re.search(r"://(.*)@", url)
    for secret in filter(None, [match[1], *match[1].split(":")] if match else []):
        text = text.replace(secret, "***")
    return text
