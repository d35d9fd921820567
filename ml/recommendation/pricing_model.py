"""Prices as the form of the configurator has them, and the plan that they are rated by."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, assert_never

from pydantic import AfterValidator

from ml.rating.charges import Charge
from ml.rating.charges.graduated import Graduated
from ml.rating.charges.per_unit import PerUnit
from ml.rating.charges.tiers import Tier
from ml.rating.charges.time_of_day import Band, TimeOfDay
from ml.rating.contract import Contract
from ml.rating.plan import Currency, Option, Plan
from ml.rating.terms import Amount, Terms, Units, problem

__all__ = ["CALLS", "MINUTE", "Offer", "PricingModel", "plan_of"]

PRICE_STEP = Decimal("0.001")
MINUTE, CALLS = 60, "call_seconds"
Kind = Literal["usage_based", "flat_rate", "hybrid", "tiered", "time_based"]
OPTIONS: Mapping[Kind, Option] = {
    "usage_based": "standard",
    "flat_rate": "flat_rate",
    "hybrid": "hybrid",
    "tiered": "volume",
    "time_based": "time_based",
}


def _in_steps(price: Decimal) -> Decimal:
    if price % PRICE_STEP:
        raise problem(f"{price} has more than 3 decimals; prices go in steps of {PRICE_STEP}")
    return price


Price = Annotated[Amount, AfterValidator(_in_steps)]
VOLUME_TIERS = tuple(
    Tier(up_to=up_to, unit_price=price)
    for up_to, price in (
        (Decimal(500), Decimal("0.15")),
        (Decimal(1000), Decimal("0.12")),
        (Decimal(2000), Decimal("0.10")),
        (None, Decimal("0.08")),
    )
)


class PricingModel(Terms):
    """Prices as the form of the configurator has them; fields that a type does not use keep what they hold.

    usage_based: `price_per_minute` for every minute. flat_rate: `monthly_base_fee` alone. hybrid: the base fee, and
    beyond `included_minutes` the `overage_price`, or without one the price per minute. tiered: `tiers`. time_based: the
    price per minute within business hours, `after_hours_price` outside of them.
    """

    type: Kind = "hybrid"
    monthly_base_fee: Price = Decimal("49.00")
    included_minutes: Units = Decimal(500)
    price_per_minute: Price = Decimal("0.10")
    overage_price: Price | None = Decimal("0.12")
    after_hours_price: Price = Decimal("0.05")
    tiers: tuple[Tier, ...] = VOLUME_TIERS
    currency: Currency = "EUR"


Offer = PricingModel | Plan | Contract


def plan_of(offer: Offer) -> Plan | Contract:
    """The terms as a plan, by which alone they are rated."""
    if not isinstance(offer, PricingModel):
        return offer
    return Plan(
        plan_key=f"configured_{offer.type}",
        version=1,
        name=offer.type,
        currency=offer.currency,
        monthly_base_fee=offer.monthly_base_fee if offer.type in ("flat_rate", "hybrid") else Decimal(0),
        charges=(_charge(offer),),
        option=OPTIONS[offer.type],
        valid_from=date(1990, 1, 1),
    )


def _charge(model: PricingModel) -> Charge:
    price = model.price_per_minute
    match model.type:
        case "usage_based":
            return PerUnit(meter=CALLS, per=MINUTE, unit_price=price)
        case "flat_rate":
            return PerUnit(meter=CALLS, per=MINUTE, unit_price=Decimal(0))
        case "hybrid":
            overage = price if model.overage_price is None else model.overage_price
            return PerUnit(meter=CALLS, per=MINUTE, unit_price=overage, included=model.included_minutes)
        case "tiered":
            return Graduated(meter=CALLS, per=MINUTE, tiers=model.tiers)
        case "time_based":
            bands = Band(time="business", unit_price=price), Band(time="after", unit_price=model.after_hours_price)
            return TimeOfDay(meter=CALLS, per=MINUTE, bands=bands)
        case _:
            assert_never(model.type)
