"""What plans cost over simulated usage."""

import numpy as np

from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.recommendation.simulation import simulate_many


def test_where_nobody_used_anything_a_plan_costs_its_base_fee():
    plan = next(plan for plan in load_catalogue(default_catalogue(), "default") if plan.monthly_base_fee)
    first, second = simulate_many([plan], (), np.empty((2, 0, 5)))
    assert first.costs.tolist() == second.costs.tolist() == [[float(plan.monthly_base_fee)] * 5]
