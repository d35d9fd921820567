import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ml.rating.catalogue import Plan
from ml.rating.rate import exact_total
from ml.rating.rerate import RatedLine, due_lines

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / ".." / "shared" / "reference" / "charge_vectors.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8")) if VECTORS.exists() else []
KNOWN_PARAMS = {"tiers", "zero_usage_flat", "unit", "included", "round_to"}
PERIOD = date(2025, 3, 1)

pytestmark = pytest.mark.skipif(not CASES, reason="the collected cases are not beside this checkout")


def cases(*models: str) -> list[Any]:
    chosen = [case for case in CASES if case["model"] in models and case["params"].keys() <= KNOWN_PARAMS]
    return [pytest.param(case, id=case["id"]) for case in chosen]


def plan_of(case: dict[str, Any]) -> Plan:
    params = case["params"]
    charge = {"model": case["model"].removesuffix("_delta"), "meter": "calls"}
    if "tiers" in params:
        charge["tiers"] = [
            {"up_to": tier["up_to"], "unit_price": tier["unit"], "flat_fee": tier["flat"]} for tier in params["tiers"]
        ]
        charge["zero_usage_flat"] = params.get("zero_usage_flat", "none")
    else:
        charge |= {"unit_price": params["unit"], "included": params.get("included", "0")}
    head = {"plan_key": "case", "version": 1, "name": case["id"], "currency": "EUR", "option": "standard"}
    return Plan.model_validate({**head, "valid_from": PERIOD, "charges": [charge]})


@pytest.mark.parametrize("case", cases("per_unit", "graduated", "volume"))
def test_a_quantity_costs_what_other_engines_charge(case: dict[str, Any]) -> None:
    usage = {"calls": Decimal(case["usage"]["quantity"])}
    assert exact_total(plan_of(case), usage) == Decimal(case["expected"]["amount"])


@pytest.mark.parametrize("case", cases("per_unit_delta", "graduated_delta", "volume_delta"))
def test_each_step_of_a_cumulative_quantity_books_its_difference(case: dict[str, Any]) -> None:
    booked: list[RatedLine] = []
    amounts = []
    for quantity in case["usage"]["cumulative"]:
        lines = due_lines(plan_of(case), [(PERIOD, "calls", int(quantity))], booked, 7, PERIOD)
        amounts.append(sum((line.amount for line in lines), Decimal(0)))
        booked += lines
    assert amounts == [Decimal(expected) for expected in case["expected"]["amounts"]]
