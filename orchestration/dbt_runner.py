"""Run dbt inside this process: its command line would start another one for every build."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import make_url

from orchestration import paths

# Quiet, since results tell what failed; and without its files, whose writing takes as long as several models.
FLAGS = ("--log-level", "none", "--log-level-file", "none", "--cache-selected-only")


def target_folder() -> Path:
    """Where dbt writes its manifest and compiled SQL."""
    return paths.local() / "dbt/target"


def invoke(arguments: list[str], url: str | None = None, environment: Mapping[str, str] | None = None) -> list[Any]:
    """Run dbt in this process; one writer at a time, across processes.

    Raises:
        dagster.Failure: when dbt itself failed, as opposed to one of its nodes.
    """
    from dbt.cli.main import dbtRunner

    flags = [*FLAGS, "--write-json" if arguments[0] in ("parse", "docs") else "--no-write-json"]
    folders = ["--project-dir", paths.DBT_PROJECT, "--profiles-dir", paths.DBT_PROJECT]
    folders += ["--target-path", target_folder()]
    # In a thread, since dbt walks up the whole stack eleven times when it starts, and a run's is long. Who interrupts a
    # build waits until it has ended.
    with _environment({**(_connection(url) if url else {}), **(environment or {})}), ThreadPoolExecutor(1) as thread:
        outcome = thread.submit(dbtRunner().invoke, [*flags, *arguments, *map(str, folders)]).result()
    if outcome.exception:
        raise dg.Failure(f"dbt {arguments[0]} failed: {outcome.exception}")
    return list(getattr(outcome.result, "results", ()))


def _connection(url: str) -> dict[str, str]:
    target = make_url(url)
    return {
        "DBT_HOST": str(target.query.get("host") or target.host or "localhost"),
        "DBT_PORT": str(target.port or 5432),
        "DBT_USER": target.username or "",
        "DBT_PASSWORD": target.password or "",
        "DBT_DATABASE": target.database or "",
        "DBT_SSLMODE": str(target.query.get("sslmode") or "prefer"),
    }


class _environment:
    """Set environment variables for the time of a block."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._values}
        os.environ.update(self._values)

    def __exit__(self, *exception: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
