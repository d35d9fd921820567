"""When a load waits for a person, and what the person decides."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import dict_row

from integrations.events.ledger import LoadReport, Status, close_load, report_of
from integrations.events.publish import Restore, publish

__all__ = ["DEFAULT_RULE", "HoldRule", "discard_load", "release_load"]


@dataclass(frozen=True)
class HoldRule:
    """Which share of refused lines is worth a warning, and which makes a load wait.

    Attributes:
        warn_above: share of the lines read above which the load says so.
        hold_above: share above which it waits for a person.
        at_least: a handful of bad lines, below this number, never holds a file, however small it is.
    """

    warn_above: float = 0.005
    hold_above: float = 0.05
    at_least: int = 10

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> "HoldRule":
        """The rule of LOAD_WARN_ABOVE and LOAD_HOLD_ABOVE, shares between 0 and 1.

        Raises:
            ValueError: naming the setting that is no share.
        """
        return cls(
            _share(settings, "LOAD_WARN_ABOVE", cls.warn_above), _share(settings, "LOAD_HOLD_ABOVE", cls.hold_above)
        )

    def holds(self, report: LoadReport) -> bool:
        """Tell whether a load of which so much was refused must wait."""
        return report.rejected >= self.at_least and _share_refused(report) > self.hold_above

    def judge(self, report: LoadReport) -> None:
        """Set what the report says about its refused lines: nothing, a warning, or that the load is held."""
        share = _share_refused(report)
        finding = f"{report.rejected:,} of {report.read - report.filtered:,} lines ({share:.1%}) were refused"
        if self.holds(report):
            report.status, report.message = "held", f"{finding}; the load waits for its release"
        elif share > self.warn_above:
            report.message = finding


DEFAULT_RULE = HoldRule()


def release_load(connection: Connection, load_id: int, restore: Restore | None = None) -> LoadReport:
    """Publish a held load after all.

    Raises:
        LookupError: when no such load waits.
    """
    with connection.transaction():
        report = _waiting(connection, load_id, ["held"])
        report.status, report.message = "published", None
        report.add(publish(connection, sql.Identifier("raw", "held_events"), load_id, restore))
        connection.execute("delete from raw.held_events where load_id = %s", [load_id])
        close_load(connection, report)
    return report


def discard_load(connection: Connection, load_id: int) -> LoadReport:
    """Refuse a held load for good: its events move into quarantine. Of one that could not be read, take note.

    Raises:
        LookupError: when no such load waits.
    """
    with connection.transaction():
        report = _waiting(connection, load_id, ["held", "failed"])
        connection.execute(
            """
            with gone as (delete from raw.held_events where load_id = %s returning *)
            insert into raw.rejected_events (load_id, line, reason, message, payload)
            select load_id, line, 'discarded', 'the load was discarded', to_jsonb(gone)::text from gone
            """,
            [load_id],
        )
        report.status, report.rejected, report.inserted = "discarded", report.rejected + report.inserted, 0
        close_load(connection, report)
    return report


def _waiting(connection: Connection, load_id: int, statuses: list[Status]) -> LoadReport:
    row = (
        connection.cursor(row_factory=dict_row)
        .execute("select * from raw.loads where load_id = %s and status = any(%s) for update", [load_id, statuses])
        .fetchone()
    )
    if row is None:
        raise LookupError(f"Load {load_id} does not wait; `usage-pricing loads list` shows those that do.")
    return report_of(row)


def _share_refused(report: LoadReport) -> float:
    considered = report.read - report.filtered
    return report.rejected / considered if considered else 0.0


def _share(settings: Mapping[str, str], name: str, default: float) -> float:
    written = settings.get(name) or str(default)
    try:
        share = float(written)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"{name} is {written!r}; set it to a share between 0 and 1, such as {default}.")
    return share
