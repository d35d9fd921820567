"""What it costs every Dagster process to load the definitions."""

import os
import resource
import subprocess
import sys

from orchestration import paths
from tests.benchmarks.registry import at_most, benchmark
from tests.benchmarks.workbench import Workbench

REPETITIONS = 3
LOAD = "from orchestration.definitions import defs; defs()"


@benchmark("definitions.load_cpu_seconds", "s", at_most(3))
def load_cpu_seconds(bench: Workbench) -> float:
    """CPU seconds of a process that loads them, its byte code and the parsed dbt project being there; best of three."""
    _cpu_seconds(bench, "Compiling the definitions and parsing the dbt project, once ...")
    return min(_cpu_seconds(bench, "Loading the definitions ...") for _ in range(REPETITIONS))


def _cpu_seconds(bench: Workbench, sentence: str) -> float:
    bench.step(sentence)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(bench.folder / "pycache")
    before = _children()
    subprocess.run([sys.executable, "-c", LOAD], cwd=paths.ROOT, env=environment, check=True, capture_output=True)
    return _children() - before


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
