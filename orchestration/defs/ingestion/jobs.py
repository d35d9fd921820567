"""Refused lines are judged again when somebody has mended what was wrong."""

import dagster as dg
from pydantic import Field

from integrations.events.landing_zones import landing_zone
from integrations.events.replay import replayable_loads
from orchestration import paths
from orchestration.replays import landed_mappings, replay_loads
from orchestration.resources import WarehouseResource


class ReplayConfig(dg.Config):
    """Which loads are replayed."""

    loads: list[int] = Field(default=[], description="Their ids; all that have lines to be judged again unless given.")


@dg.op
def replay_rejected(context: dg.OpExecutionContext, config: ReplayConfig, db: WarehouseResource) -> None:
    """Judge refused lines again; what is accepted marks its usage dates, which the sensors then rebuild."""
    with db.connect() as connection:
        loads = config.loads or replayable_loads(connection)
        replay_loads(connection, loads, landed_mappings(landing_zone(paths.landing())), tell=context.log.info)


@dg.job(description="Judge the refused lines of loads again: of those named in the config, or of all.")
def replay_rejected_job() -> None:
    """Replay refused lines."""
    replay_rejected()
