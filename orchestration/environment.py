"""Make the surroundings ready: a database that answers, its schema, Dagster's home."""

import os

from sqlalchemy import make_url

from orchestration import paths

DATABASE, DAGSTER_SUFFIX = "usage_pricing", "_dagster"


def database_url() -> str:
    """The warehouse's URL: DATABASE_URL, or the embedded server, which is started if need be."""
    if url := os.environ.get("DATABASE_URL"):
        return url
    server = embedded_server()
    server.start()
    return server.url(DATABASE)


def embedded_server():  # type: ignore[no-untyped-def]  # its import costs time that a look at the help need not pay
    """The server of this checkout."""
    from integrations.postgres.server import EmbeddedServer

    return EmbeddedServer(paths.local() / "postgres")


def prepare() -> str:
    """Start, create and migrate what is missing, and point this process and its children at it.

    Returns:
        The warehouse's URL.
    """
    from integrations.events.landing_zones import landing_zone
    from integrations.postgres.schema import create_database, migrate, relax_durability

    url = database_url()
    dagster_url = os.environ.get("DAGSTER_DATABASE_URL") or _beside(url)
    for wanted in (url, dagster_url):
        create_database(wanted)
    migrate(url)
    relax_durability(dagster_url)
    landing_zone(paths.landing()).create()
    for folder in (paths.outbox(), paths.local() / "dagster"):
        folder.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "DATABASE_URL": url,
        "DAGSTER_HOME": str(paths.DAGSTER_HOME),
        "DAGSTER_POSTGRES_URL": make_url(dagster_url)
        .set(drivername="postgresql+psycopg2")
        .render_as_string(hide_password=False),
        "USAGE_PRICING_LOCAL": str(paths.local()),
        "DAGSTER_DISABLE_TELEMETRY": "true",
    }
    return url


def _beside(url: str) -> str:
    """Dagster's own database: a second one on the same server."""
    target = make_url(url)
    return target.set(database=f"{target.database}{DAGSTER_SUFFIX}").render_as_string(hide_password=False)
