"""A custom offer for a company whose rhythm is its own: what it commits to, and at which price."""

import math
from decimal import ROUND_CEILING, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FLOOR_SHARE", "PRICE_STEP", "custom_pricing"]

FLOOR_SHARE = Decimal("0.85")
PRICE_STEP = Decimal("0.001")

RULE = (
    "No base fee. The median month's minutes are committed: they are billed at the unit price even when less is "
    "used, more at the same price. The unit price is the lowest, in steps of 0.001, whose expected cost reaches "
    "85 % of the cheapest catalogue option's."
)


def custom_pricing(call_seconds: npt.ArrayLike, best_expected_cost: Decimal, currency: str) -> dict[str, Any] | None:
    """A suggestion (not a plan of the catalogue) from the monthly paths [p] of call seconds.

    With committed minutes q = p50 rounded up, the expected cost at unit price u is u x E[max(minutes, q)]. So u =
    floor / E[max(minutes, q)], rounded up: never below the vendor's floor of 85 % of the cheapest catalogue
    option's expected cost. None without usage or where that option is free. Amounts are strings in `currency`.
    """
    minutes = np.asarray(call_seconds, dtype=np.float64) / 60
    included = math.ceil(round(float(np.median(minutes)), 9))
    billed = Decimal(repr(float(np.maximum(minutes, included).mean())))
    floor = best_expected_cost * FLOOR_SHARE
    if included == 0 or floor <= 0:
        return None
    price = (floor / billed / PRICE_STEP).to_integral_value(ROUND_CEILING) * PRICE_STEP
    return {
        "type": "custom",
        "currency": currency,
        "monthly_base_fee": "0.00",
        "included_minutes": included,
        "price_per_minute": str(price),
        "minimum_monthly_amount": str((price * included).quantize(Decimal("0.01"))),
        "expected_cost": str((price * billed).quantize(Decimal("0.01"))),
        "floor_share": str(FLOOR_SHARE),
        "floor_amount": str(floor.quantize(Decimal("0.01"))),
        "rule": RULE,
    }
