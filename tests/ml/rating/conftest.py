"""Plans for tests, with everything that a test does not care about filled in."""

from collections.abc import Callable
from typing import Any

import pytest

from ml.rating.plan import Plan


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    def make(*charges: dict[str, Any], **overrides: Any) -> Plan:
        head = {"plan_key": "p", "version": 1, "name": "P", "currency": "EUR", "option": "standard"}
        return Plan.model_validate({**head, "valid_from": "2024-01-01", "charges": charges, **overrides})

    return make
