"""Judge the refused lines of many loads again; one that fails keeps no other from being tried."""

from collections.abc import Callable, Iterable
from functools import cache

from psycopg import Connection

from integrations.events.landing import LandingFile
from integrations.events.landing_zones import LandingZone
from integrations.events.ledger import LoadReport
from integrations.events.mapping import SourceMapping, load_mapping
from integrations.events.publish import Restore
from integrations.events.replay import MappingOf, replay_load
from orchestration import clock


class ReplayFailed(RuntimeError):
    """Some loads could not be replayed; the message names each with its reason."""


def landed_mappings(zone: LandingZone) -> MappingOf:
    """The source mapping that lies beside a file in the landing zone today; None when the file is not there."""

    @cache
    def mapped() -> dict[str | None, LandingFile]:
        return {file.name: file for file in zone.files() if file.mapping}

    def mapping_of(name: str) -> SourceMapping | None:
        if name not in mapped():
            return None
        with zone.fetch(mapped()[name]) as file:
            return load_mapping(file.mapping)

    return mapping_of


def replay_loads(
    connection: Connection,
    loads: Iterable[int],
    mapping_of: MappingOf,
    restore: Restore | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Replay each load, and say after each what it came to; see `replay_load`.

    Raises:
        ReplayFailed: at the end, when some could not be replayed.
    """
    failed = []
    for load_id in loads:
        try:
            report = replay_load(connection, load_id, clock.now(connection), mapping_of, restore)
        except Exception as error:  # whatever it is, the others are tried
            failed.append(f"load {load_id}: {error}")
        else:
            tell(outcome(load_id, report))
    if failed:
        raise ReplayFailed(f"Not every load could be replayed: {'; '.join(failed)}")


def outcome(load_id: int, report: LoadReport | None) -> str:
    """What a replay came to, in a sentence."""
    if report is None:
        return f"load {load_id}: none of its refused lines is accepted today"
    return (
        f"load {load_id}: {report.read:,} of its refused lines are taken as load {report.load_id}"
        f" = inserted {report.inserted:,} + duplicate {report.duplicate:,} + rejected {report.rejected:,}"
        f" + filtered {report.filtered:,}"
    )
