"""The event files of one arrival day: the delivered lines with the broken ones among them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from ml.synthetic.deliveries import CHANGED, LATE, RESENT, Deliveries
from ml.synthetic.dirt import CONFLICT, Dirt, break_lines, held_reasons, reasons_for
from ml.synthetic.events import Window
from ml.synthetic.files import write_lines
from ml.synthetic.lines import LineFormatter
from ml.synthetic.truth import FileTruth

__all__ = ["EventFileWriter"]

_MOST_LINES = 20_000
_ENDINGS = {2: ".ndjson", 3: ".ndjson.zst"}


@dataclass(frozen=True)
class EventFileWriter:
    """Writes below `folder`/arrivals: plain NDJSON on the second day with events, zstandard on the third, else gzip."""

    folder: Path
    window: Window
    formatter: LineFormatter
    dirt: Dirt
    seed: int

    def write_day(self, delivered: Deliveries, day: int) -> Iterator[FileTruth]:
        """The files of the lines that arrive on `day` (counted from the first day of the world), in load order."""
        for part, rows in enumerate(delivered.on(day).parts(_MOST_LINES), start=1):
            rng = np.random.default_rng([self.seed, 5, day, part])
            conflicts = int((rows.status == CHANGED).sum())
            reasons = reasons_for(len(rows.events), conflicts, self.dirt, rng)
            yield self._write(f"usage-{{}}-{part:02d}{_ENDINGS.get(day, '.ndjson.gz')}", day, rows, reasons, rng)

    def write_held(self, rows: Deliveries, day: int) -> FileTruth:
        """The file of which 20 % is broken."""
        rng = np.random.default_rng([self.seed, 6, day])
        return self._write("held-usage-{}-01.ndjson.gz", day, rows, held_reasons(len(rows.events), rng), rng)

    def _write(self, name: str, day: int, rows: Deliveries, reasons: list[str], rng: np.random.Generator) -> FileTruth:
        lines = self.formatter.lines(rows.events)
        broken, used = break_lines(lines, rows.events, reasons, rng)
        for position, line in zip(rng.integers(0, len(lines) + 1, len(broken)).tolist(), broken, strict=True):
            lines.insert(position, line)
        arrival = (self.window.start + timedelta(days=day)).isoformat()
        path = f"arrivals/{arrival}/events/{name.format(arrival)}"
        write_lines(self.folder / path, lines)
        return _file_truth(arrival, path, rows, used)


def _file_truth(arrival: str, path: str, rows: Deliveries, broken: list[str]) -> FileTruth:
    again, changed = int((rows.status == RESENT).sum()), int((rows.status == CHANGED).sum())
    rejected = dict(sorted(Counter([*broken, *[CONFLICT] * changed]).items()))
    return FileTruth(
        arrival=arrival,
        path=path,
        lines=len(rows.events) + len(broken),
        valid=len(rows.events) - again - changed,
        duplicates=again,
        late=int((rows.status == LATE).sum()),
        rejected=rejected,
    )
