"""Bring a database to the schema that this version of the project needs."""

from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import create_engine, make_url, text

__all__ = ["SCHEMAS", "create_database", "migrate", "relax_durability"]

SCHEMAS = ("raw", "staging", "intermediate", "marts", "ml", "billing", "messaging", "ops")
MIGRATION_LOCK = 7_151_001


def migrate(url: str, revision: str = "head") -> None:
    """Apply every migration that `url` lacks, up to `revision`; safe when several processes do it at the same time."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            for schema in SCHEMAS:
                connection.execute(text(f"create schema if not exists {schema}"))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()


def create_database(url: str) -> None:
    """Create the database that `url` names, unless it exists."""
    target = make_url(url)
    name = str(target.database)
    server = target.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            return
        try:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another process was first


def relax_durability(url: str) -> None:
    """Let commits of a database not wait for the disk: a power cut may cost its last moments, never its consistency.

    For a log of runs, whose effects are committed durably elsewhere.
    """
    name = sql.Identifier(str(make_url(url).database))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("alter database {} set synchronous_commit = off").format(name))
