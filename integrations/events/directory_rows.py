"""Read the directory of companies and branches from the raw tables."""

from collections.abc import Callable

from psycopg import Connection
from psycopg.rows import dict_row

from integrations.events.directory import Directory

__all__ = ["DirectoryCache", "ReadDirectory", "read_directory"]

ReadDirectory = Callable[[Connection], Directory]
# A load that failed changes nothing, and may be committed before an earlier one that does.
LAST_CHANGE = """
    select max(load_id) from raw.loads where feed in ('companies', 'branches') and status = 'published'
"""


def read_directory(connection: Connection) -> Directory:
    """All companies and branches that the feeds have named so far."""
    cursor = connection.cursor(row_factory=dict_row)
    companies = cursor.execute(
        """
        select company_id, company_key, valid_from, received_at, time_zone, business_hours, currency
        from raw.companies join raw.company_ids using (company_id)
        """
    ).fetchall()
    branches = cursor.execute("select company_id, branch_key, branch_id from raw.branch_ids").fetchall()
    return Directory.from_rows(companies, branches)


class DirectoryCache:
    """Reads the directory once for many files, and again after a load of companies or branches, which alone change it.

    Args:
        read: how it is read.
    """

    def __init__(self, read: ReadDirectory = read_directory) -> None:
        self._read = read
        self._last_change: object = self
        self._directory = Directory({}, {})

    def __call__(self, connection: Connection) -> Directory:
        """The directory as it is now."""
        row = connection.execute(LAST_CHANGE).fetchone()
        if row != self._last_change:
            self._directory, self._last_change = self._read(connection), row
        return self._directory
