"""What the linter says holds for the exact prices, for drawn plans and drawn usage."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.lint import Finding, lint
from ml.rating.lints.cliffs import Stairs
from ml.rating.lints.dominance import can_replace
from ml.rating.lints.grid import UsageGrid
from ml.rating.money import minor_unit
from ml.rating.plan import Plan
from ml.rating.rate import exact_total
from tests.ml.rating.drawn_plans import TOTALS, plans
from tests.ml.rating.price_lists import per_unit, plan, tiered

MONOTONE = [model for model in TOTALS if model != "volume"]
PRICES = st.decimals("0", "0.3", places=2)


def codes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def unbounded(drawn: Plan) -> Plan:
    """Without the bounds of the whole, below and above which no price shows."""
    return drawn.model_copy(update={"minimum_spend": None, "maximum_spend": None})


@settings(max_examples=150)
@given(plans(["volume"]), st.integers(1, 10**6))
def test_a_cliff_really_is_one_and_is_over_where_it_is_said_to_be(drawn: Plan, further: int) -> None:
    drawn = unbounded(drawn)
    for finding in lint([drawn]):
        if finding.code == "cliff" and finding.usage:
            index = int(finding.path.split("tiers[")[1].removesuffix("]"))
            (charge,) = (charge for charge in drawn.priced_charges if charge.meter == finding.usage[0].meter)
            stairs = Stairs(charge.model_copy(update={"discount_percent": Decimal(0), "minimum": None}))
            before, after = stairs.ends[index - 1], finding.usage[0].used
            total = [exact_total(drawn, {charge.meter: used}) for used in (before, after)]
            assert before < after
            assert total[0] > total[1]
            old = stairs.cost(before)
            back = stairs.back_at(index, old) if stairs.cost(after) < old else None
            if back is not None:
                assert stairs.cost(back) >= old > stairs.cost(back - stairs.grain)
                assert stairs.cost(back + further) >= old


@settings(max_examples=150)
@given(plans(["volume"]), st.integers(1, 10**6))
def test_without_a_cliff_more_usage_never_costs_a_coin_less(drawn: Plan, further: int) -> None:
    drawn = unbounded(drawn)
    coins = 5 * Decimal(1).scaleb(-minor_unit(drawn.currency))  # five tiers, a coin each at most
    at_cliffs = {finding.path.split(".")[0] for finding in lint([drawn]) if finding.code == "cliff"}
    for index, charge in enumerate(drawn.priced_charges):
        for end in Stairs(charge).ends if f"charges[{index}]" not in at_cliffs else []:
            less, more = (exact_total(drawn, {charge.meter: used}) for used in (end, end + further))
            assert more > less - coins


@given(plans(MONOTONE))
def test_other_prices_than_volume_never_have_a_cliff(drawn: Plan) -> None:
    assert "cliff" not in codes(lint([drawn]))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def loses_everywhere(finding: Finding, sold: list[Plan], rng: np.random.Generator, count: int = 200) -> bool:
    (judged,) = (one for one in sold if f"plan {one.plan_key} v{one.version}" == finding.plan)
    market = [one for one in sold if one.currency == judged.currency and one.is_sellable]
    grid = UsageGrid(market)
    points = rng.choice(grid.points, count) * rng.uniform(0, 2, (count, len(grid.columns)))
    usage = grid.usage(np.round(points) + (rng.random(points.shape) < 0.1))
    for number in range(count):
        used = {meter: Decimal(int(quantities[number])) for meter, quantities in usage.items()}
        costs = [exact_total(one, used) for one in market if one is not judged and can_replace(one, judged)]
        if any(used.values()) and exact_total(judged, used) <= min(costs):
            return False
    return True


def test_a_dominated_plan_is_really_never_the_cheapest(rng: np.random.Generator) -> None:
    shipped = load_catalogue(default_catalogue(), "default.yaml")
    found = [finding for finding in lint(shipped) if finding.code == "dominated"]
    assert found
    assert all(loses_everywhere(finding, shipped, rng) for finding in found)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), PRICES, PRICES, PRICES, st.integers(0, 500)), min_size=3, max_size=5))
def test_of_drawn_plans_too(drawn: list[tuple[int, Decimal, Decimal, Decimal, int]]) -> None:
    sold = [
        plan(
            f"p{number}",
            tiered("graduated" if number % 2 else "volume", (300, first), (None, second)),
            per_unit("appointments", third, included=free),
            monthly_base_fee=fee,
        )
        for number, (fee, first, second, third, free) in enumerate(drawn)
    ]
    for finding in lint(sold):
        if finding.code == "dominated":
            assert loses_everywhere(finding, sold, np.random.default_rng(5))


def test_a_plan_that_is_cheapest_only_between_the_bounds_is_not_called_dominated() -> None:
    low, high = plan("low", per_unit("calls", 1)), plan("high", monthly_base_fee=2000)
    between = plan("between", per_unit("calls", "0.5"), monthly_base_fee=990)  # cheaper from 1980 to 2020 calls only
    assert not codes(lint([low, high, between])) & {"dominated"}
    assert "dominated" in codes(lint([low, high, plan("b", per_unit("calls", "0.5"), monthly_base_fee=1001)]))
