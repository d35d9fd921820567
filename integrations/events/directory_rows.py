"""Read the directory of companies and branches from the raw tables."""

from psycopg import Connection
from psycopg.rows import dict_row

from integrations.events.directory import Directory

__all__ = ["read_directory"]


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
