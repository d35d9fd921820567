"""The door through which Dagster comes in."""

from pathlib import Path

import dagster as dg

from orchestration.resources import resources


@dg.definitions
def defs() -> dg.Definitions:
    """Everything below `defs/`, found by itself, with the resources that it needs."""
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent / "defs"),
        dg.Definitions(resources=resources, executor=dg.in_process_executor),
    )
