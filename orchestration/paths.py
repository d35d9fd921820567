"""Where things are: the project's folders, and the one folder that runs write into."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT = ROOT / "dbt_project"
DAGSTER_HOME = ROOT / "orchestration/dagster_home"


def local() -> Path:
    """The folder for everything that a run leaves behind (USAGE_PRICING_LOCAL, else `.local` in the checkout)."""
    return Path(os.environ.get("USAGE_PRICING_LOCAL") or ROOT / ".local").absolute()


def landing() -> Path:
    """The folder into which files arrive (LANDING_FOLDER, else `.local/landing`)."""
    return Path(os.environ.get("LANDING_FOLDER") or local() / "landing")


def outbox() -> Path:
    """The folder into which the file transports write (OUTBOX_FOLDER, else `.local/outbox`)."""
    return Path(os.environ.get("OUTBOX_FOLDER") or local() / "outbox")
