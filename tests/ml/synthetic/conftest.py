"""Worlds that are written once and read by all tests of the simulator."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from ml.synthetic import WorldSummary, write_world


@dataclass(frozen=True)
class WrittenWorld:
    folder: Path
    summary: WorldSummary

    def lines(self, path: str) -> list[str]:
        content = (self.folder / path).read_bytes()
        if path.endswith(".gz"):
            content = gzip.decompress(content)
        elif path.endswith(".zst"):
            content = zstd.decompress(content)
        return content.decode().splitlines()

    def feed(self, name: str) -> list[dict[str, Any]]:
        """Rows of a reference feed, each with the day on which it arrived."""
        return [
            json.loads(line) | {"arrived_on": path.parts[-3]}
            for path in sorted(self.folder.glob(f"arrivals/*/{name}/*.ndjson"))
            for line in path.read_text(encoding="utf-8").splitlines()
        ]

    @cached_property
    def valid_events(self) -> list[dict[str, Any]]:
        """The unique valid events, read from the files alone."""
        return [event for _, _, event, fate in self.fates if fate == "valid"]

    @cached_property
    def fates(self) -> list[tuple[str, str, Any, str]]:
        """(path, arrival, event or line, fate) of every line, in load order, judged without the simulator."""
        return list(self._judge_all())

    def _judge_all(self) -> Iterator[tuple[str, str, Any, str]]:
        currencies = {row["company"]: row["currency"] for row in self.feed("companies")}
        accepted: dict[tuple[str, str], Any] = {}
        for path in sorted(self.folder.glob("arrivals/*/events/*")):
            name = path.relative_to(self.folder).as_posix()
            for line in self.lines(name):
                event, fate = _judged(line, currencies)
                if fate == "valid":
                    first = accepted.setdefault((event["source"], event["id"]), event)
                    fate = "valid" if first is event else "duplicate" if first == event else "conflict"
                yield name, path.parts[-3], event, fate


def _judged(line: str, currencies: dict[str, str]) -> tuple[Any, str]:
    try:
        event = json.loads(line)
    except ValueError:
        return line, "malformed_json"
    duration = event["data"].get("duration_seconds", 0)
    verdicts = {
        "missing_field": not {"specversion", "id", "source", "type", "subject", "time", "data"} <= event.keys(),
        "invalid_field": not isinstance(duration, int),
        "naive_time": event.get("time", "+")[19:] == "",
        "negative_duration": isinstance(duration, int) and duration < 0,
        "unknown_company": event.get("subject", "") not in currencies and "subject" in event,
        "currency_mismatch": event["data"].get("currency") not in (None, currencies.get(event.get("subject"))),
    }
    return event, next((reason for reason, is_so in verdicts.items() if is_so), "valid")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> WrittenWorld:
    """Every archetype in every cohort for the whole default window, at a twelfth of the default size."""
    folder = tmp_path_factory.mktemp("world")
    return WrittenWorld(folder, write_world(folder, companies=36, events=80_000))


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> WrittenWorld:
    folder = tmp_path_factory.mktemp("small")
    return WrittenWorld(folder, write_world(folder, companies=12, days=16, events=3000, held_file=True))
