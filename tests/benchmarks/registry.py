"""What is measured: named benchmarks with a unit and a goal, and how their values are judged and kept."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.workbench import Workbench

__all__ = ["Benchmark", "Goal", "Measurement", "at_least", "at_most", "benchmark", "chosen", "known_names", "store"]

Measure = Callable[[Workbench], float]


@dataclass(frozen=True)
class Goal:
    """A bound that a value should keep."""

    number: float
    is_upper: bool

    def holds(self, value: float) -> bool:
        """Tell whether a value keeps the bound, the bound itself included."""
        return value <= self.number if self.is_upper else value >= self.number

    def __str__(self) -> str:
        return f"{'≤' if self.is_upper else '≥'} {self.number:,g}"


def at_most(number: float) -> Goal:
    """A goal for what should be small."""
    return Goal(number, True)


def at_least(number: float) -> Goal:
    """A goal for what should be large."""
    return Goal(number, False)


@dataclass(frozen=True)
class Measurement:
    """What one benchmark came to; `holds` is None where there is no goal."""

    benchmark: "Benchmark"
    value: float

    @property
    def holds(self) -> bool | None:
        """Tell whether the goal is kept."""
        goal = self.benchmark.goal
        return None if goal is None else goal.holds(self.value)

    def as_row(self) -> dict[str, Any]:
        """The row of the result file."""
        goal = self.benchmark.goal
        return {
            "name": self.benchmark.name,
            "value": round(self.value, 4),
            "unit": self.benchmark.unit,
            "goal": None if goal is None else goal.number,
            "holds": self.holds,
        }


@dataclass(frozen=True)
class Benchmark:
    """A function that measures one value; benchmarks of one module may share what they measure."""

    name: str
    unit: str
    goal: Goal | None
    measure: Measure

    def run(self, bench: Workbench) -> Measurement:
        """Measure it now."""
        return Measurement(self, self.measure(bench))


_REGISTERED: dict[str, Benchmark] = {}


def benchmark(name: str, unit: str, goal: Goal | None) -> Callable[[Measure], Measure]:
    """Register the function below as the benchmark `name`."""

    def register(measure: Measure) -> Measure:
        _REGISTERED[name] = Benchmark(name, unit, goal, measure)
        return measure

    return register


def known_names() -> list[str]:
    """The names of all benchmarks, in the order of their registration."""
    return list(_REGISTERED)


def chosen(only: str) -> list[Benchmark]:
    """The benchmarks whose name is `only` or begins with it; all of them for an empty text.

    Raises:
        LookupError: naming the known ones, when there is none.
    """
    found = [entry for name, entry in _REGISTERED.items() if name.startswith(only)]
    if not found:
        raise LookupError(f"No benchmark is called {only}, or begins so. There are: {', '.join(known_names())}.")
    return found


def store(measurements: list[Measurement], path: Path) -> None:
    """Write the result file, a JSON list of {name, value, unit, goal, holds}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([found.as_row() for found in measurements], indent=2) + "\n")
