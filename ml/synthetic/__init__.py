"""The simulator of a realistic, dirty usage world; it feeds the demo, the tests and the benchmarks."""

from ml.synthetic.archetypes import ARCHETYPES, Archetype
from ml.synthetic.companies import DEFAULT_PLAN_KEYS
from ml.synthetic.dirt import Dirt
from ml.synthetic.truth import WorldSummary
from ml.synthetic.world import write_world

__all__ = ["ARCHETYPES", "DEFAULT_PLAN_KEYS", "Archetype", "Dirt", "WorldSummary", "write_world"]
