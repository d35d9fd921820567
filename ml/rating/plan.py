"""A plan: what a month costs, what it includes and allows, and what may be added to it."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ml.rating.charges import Charge, Priced
from ml.rating.charges.time_of_day import TimeOfDay
from ml.rating.meters import METERS
from ml.rating.terms import Amount, MeterName, Percent, Terms, Units, problem, problems_at

__all__ = [
    "BASE_FEE",
    "AddOn",
    "Annual",
    "Convention",
    "Discount",
    "Feature",
    "Limit",
    "Option",
    "Plan",
    "SeasonalOffer",
]

BASE_FEE = "base_fee"
Option = Literal["volume", "flat_rate", "hybrid", "time_based", "standard"]
Convention = Literal["calendar_days_inclusive", "30/360", "days_in_cycle", "none"]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
Name = dict[str, str] | str


def _known_currency(code: str) -> str:
    from babel.numbers import is_currency  # its data is read at the first question

    if code in NO_MONEY or not is_currency(code):
        raise problem(f"{code!r} is no currency; give its ISO 4217 code, such as EUR")
    return code


NO_MONEY = {"XTS", "XXX"}
"""Codes of ISO 4217 that stand for tests and for no currency at all."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_known_currency)]
"""A code of ISO 4217; withdrawn ones stay valid, since old plans bear them."""


class AddOn(Terms):
    """Something that a subscription may book beside the plan, at a monthly fee for each unit."""

    key: Key
    name: Name
    monthly_fee: Amount
    maximum_quantity: Annotated[int, Field(ge=1)] | None = None
    features: tuple[str, ...] = ()


class Annual(Terms):
    """Paying for a year takes `discount_percent` off the base fee, which is still booked month by month."""

    discount_percent: Percent


class Discount(Terms):
    """`percent` off one charge (`base_fee`, a meter or `add_on:<key>`), or off all of them."""

    percent: Percent
    charge: str | None = None


class SeasonalOffer(Terms):
    """A temporary change of one charge's price, by `percent` (negative: cheaper), for whole months.

    Each subscription that books it says from when to when; `min_months` and `max_months` bound that time.
    """

    key: Key
    charge: MeterName
    percent: Annotated[Decimal, Field(ge=-100, le=1000, decimal_places=6)]
    min_months: Annotated[int, Field(ge=1)] = 1
    max_months: Annotated[int, Field(ge=1)] | None = None


class Limit(Terms):
    """How much of a meter a billing period allows, in priced units of `per` each; `warn` counts on, `block` stops."""

    meter: MeterName
    up_to: Units
    per: Annotated[int, Field(ge=1)] = 1
    on_breach: Literal["warn", "block"] = "warn"


class Feature(Terms):
    """A feature that the plan grants, or with `enabled` false withholds; a `usage_limit` per period may bound it."""

    name: str
    enabled: bool = True
    usage_limit: Annotated[int, Field(ge=0)] | None = None


class Plan(Terms):
    """One version of a plan: a monthly fee and at most one charge per meter, all in one currency, without taxes.

    `option` says which rule of the recommendation the plan answers; only plans of one `product` can take each other's
    place. Figures are exact: `terms()` gives them as strings, and `Plan.model_validate(plan.terms()) == plan`.
    """

    sparse = frozenset(
        {
            *("product", "minimum_spend", "maximum_spend", "discounts", "seasonal_offers", "annual", "trial_days"),
            *("add_ons", "limits", "features", "proration"),
        }
    )

    plan_key: Key
    version: Annotated[int, Field(ge=1)]
    name: Name
    currency: Currency
    monthly_base_fee: Amount = Decimal(0)
    charges: tuple[Charge, ...] = ()
    option: Option
    product: Key = "phone"
    is_sellable: bool = True
    is_trial: bool = False
    trial_days: Annotated[int, Field(ge=0)] | None = None
    benefits: dict[str, list[str]] = Field(default_factory=dict)
    minimum_spend: Amount | None = None
    maximum_spend: Amount | None = None
    discounts: tuple[Discount, ...] = ()
    seasonal_offers: tuple[SeasonalOffer, ...] = ()
    annual: Annual | None = None
    add_ons: tuple[AddOn, ...] = ()
    limits: tuple[Limit, ...] = ()
    features: tuple[Feature, ...] = ()
    proration: Convention = "calendar_days_inclusive"
    valid_from: date

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        rules = (_repeated, _without_events, _unknown_charges, _crossed_bounds)
        problems_at("charges", [found for rule in rules for found in rule(self)])
        return self

    @property
    def priced_charges(self) -> tuple[Priced, ...]:
        """One charge per meter: a price by time of day is one for each part of the day."""
        return tuple(part for charge in self.charges for part in _parts(charge))

    @property
    def meters(self) -> frozenset[str]:
        """The meters that it charges."""
        return frozenset(charge.meter for charge in self.priced_charges)

    def terms(self) -> dict[str, Any]:
        """The plan as JSON-safe values; decimals and dates are strings."""
        return self.model_dump(mode="json")


def _parts(charge: Charge) -> tuple[Priced, ...]:
    return charge.parts() if isinstance(charge, TimeOfDay) else (charge,)


Found = Iterable[tuple[tuple[str | int, ...], str]]


def _repeated(plan: Plan) -> Found:
    first: dict[str, int] = {}
    for index, charge in enumerate(plan.charges):
        for meter in sorted({part.meter for part in _parts(charge)} | {charge.meter}):
            if first.setdefault(meter, index) != index:
                sentence = f"{meter} is already charged by charges[{first[meter]}]; keep one charge per meter"
                yield ("charges", index, "meter"), sentence
    for field, names in {
        "add_ons": [add_on.key for add_on in plan.add_ons],
        "limits": [limit.meter for limit in plan.limits],
        "features": [feature.name for feature in plan.features],
        "seasonal_offers": [offer.key for offer in plan.seasonal_offers],
    }.items():
        for index, name in enumerate(names):
            if name in names[:index]:
                yield (field, index), f"{name} is there twice; keep one"


def _without_events(plan: Plan) -> Found:
    kept = ", ".join(name for name, meter in METERS.items() if meter.by_event)
    for index, charge in enumerate(plan.charges):
        if not METERS[charge.meter].by_event and any(part.is_per_event for part in _parts(charge)):
            sentence = f"{charge.meter} is not kept event by event; use {kept}, or leave out what is priced per event"
            yield ("charges", index, "meter"), sentence


def _unknown_charges(plan: Plan) -> Found:
    known = {BASE_FEE, *plan.meters, *(f"add_on:{add_on.key}" for add_on in plan.add_ons)}
    for index, discount in enumerate(plan.discounts):
        if discount.charge is not None and discount.charge not in known:
            sentence = f"the plan does not charge {discount.charge}; use {', '.join(sorted(known))}"
            yield ("discounts", index, "charge"), sentence
    for index, offer in enumerate(plan.seasonal_offers):
        if offer.charge not in plan.meters:
            yield ("seasonal_offers", index, "charge"), f"the plan does not charge {offer.charge}"


def _crossed_bounds(plan: Plan) -> Found:
    bounds: list[tuple[tuple[str | int, ...], Decimal | None, Decimal | None]] = [
        (("minimum_spend",), plan.minimum_spend, plan.maximum_spend)
    ]
    bounds += [
        (("charges", index, "minimum"), charge.minimum, charge.maximum)
        for index, charge in enumerate(plan.charges)
        if not isinstance(charge, TimeOfDay)
    ]
    for location, minimum, maximum in bounds:
        if minimum is not None and maximum is not None and minimum > maximum:
            yield location, f"the minimum of {minimum} lies above the maximum of {maximum}"
