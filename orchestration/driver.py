"""Do by hand what Dagster's daemon does: tick sensors and run what they ask for, in this process."""

from collections.abc import Mapping

import dagster as dg

from orchestration.definitions import defs as load_definitions
from orchestration.resources import resources


class RunFailed(RuntimeError):
    """A run did not succeed; the message says which step and why."""


class Driver:
    """Runs jobs and ticks sensors on one Dagster instance.

    Args:
        instance: where runs and materializations are recorded; the UI shows the same one.
        log_level: what runs say on the console.
    """

    def __init__(self, instance: dg.DagsterInstance, log_level: str = "CRITICAL") -> None:
        self.instance = instance
        self._log_level = log_level
        self.definitions: dg.Definitions = load_definitions()
        self._repository = self.definitions.get_repository_def()

    def run(self, job: str, tags: Mapping[str, str] | None = None, partition: str | None = None) -> str:
        """Run a job to its end; returns the run's id.

        Raises:
            RunFailed: when it did not succeed.
        """
        result = self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            tags=dict(tags or {}),
            partition_key=partition,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": self._log_level}}}},
        )
        if not result.success:
            raise RunFailed(f"{job}: {_why(result)}")
        return result.run_id

    def tick(self, sensor: str) -> list[str]:
        """Evaluate a sensor once and run what it asks for; returns the ids of the runs."""
        with dg.build_sensor_context(
            instance=self.instance, sensor_name=sensor, repository_def=self._repository, resources=resources
        ) as context:
            definition = self.definitions.resolve_sensor_def(sensor)
            requests = definition.evaluate_tick(context).run_requests or []
        return [self.run(request.job_name or definition.job_name, request.tags) for request in requests]


def _why(result: dg.ExecuteInProcessResult) -> str:
    failures = [e for e in result.all_node_events if e.is_step_failure]
    if failures:
        error = failures[0].step_failure_data.error
        return f"{failures[0].step_key}: {error.cause.message if error and error.cause else error and error.message}"
    return "no step failed; see the run in the Dagster UI"
