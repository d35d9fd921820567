"""Where things are: the project's folders, and the one folder that runs write into."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT = ROOT / "dbt_project"
DAGSTER_HOME = ROOT / "orchestration/dagster_home"


def local() -> Path:
    """The folder for everything that a run leaves behind (USAGE_PRICING_LOCAL, else `.local` in the checkout)."""
    return Path(os.environ.get("USAGE_PRICING_LOCAL") or ROOT / ".local").absolute()


def landing() -> str:
    """The folder or URL where files arrive (LANDING_URL, else LANDING_FOLDER, else `.local/landing`)."""
    return os.environ.get("LANDING_URL") or os.environ.get("LANDING_FOLDER") or str(local() / "landing")


def archive_url() -> str:
    """The folder or URL of the archive of raw events (ARCHIVE_URL, else `.local/archive`)."""
    return os.environ.get("ARCHIVE_URL") or str(local() / "archive")


def outbox() -> Path:
    """The folder into which the file transports write (OUTBOX_FOLDER, else `.local/outbox`)."""
    return Path(os.environ.get("OUTBOX_FOLDER") or local() / "outbox")
