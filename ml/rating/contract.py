"""What one company has agreed to: a plan, what it booked beside it, and where its own terms differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from typing import Annotated, Literal

from pydantic import Field

from ml.rating.charges import Charge, Priced
from ml.rating.money import exactly
from ml.rating.plan import BASE_FEE, Discount, Feature, Limit, Plan
from ml.rating.steps import Step, cost_of
from ml.rating.terms import Amount, Terms, scaled

__all__ = ["Contract", "Fee", "Overrides", "PeriodTerms", "SeasonalBooking", "contract_problems", "period_terms"]


class SeasonalBooking(Terms):
    """A seasonal offer of the plan that the company takes, for `months` usage periods from `first_month` on."""

    key: str
    first_month: date
    months: Annotated[int, Field(ge=1)] = 1

    def covers(self, usage_period: date) -> bool:
        """Whether a usage period, named by its first day, is one of its months."""
        passed = (usage_period.year - self.first_month.year) * 12 + usage_period.month - self.first_month.month
        return 0 <= passed < self.months


class Overrides(Terms):
    """Terms of a company's own: they take the place of the plan's charge, limit or feature of the same name, or come
    beside them; discounts come on top."""

    monthly_base_fee: Amount | None = None
    charges: tuple[Charge, ...] = ()
    limits: tuple[Limit, ...] = ()
    features: tuple[Feature, ...] = ()
    discounts: tuple[Discount, ...] = ()
    minimum_spend: Amount | None = None
    maximum_spend: Amount | None = None
    seasonal: tuple[SeasonalBooking, ...] = ()


NONE = Overrides()


@dataclass(frozen=True, slots=True)
class Contract:
    """A plan as one company has it; `add_ons` holds the booked quantity by key."""

    plan: Plan
    billing_interval: Literal["month", "year"] = "month"
    add_ons: Mapping[str, int] = field(default_factory=dict)
    overrides: Overrides = NONE

    @property
    def terms_key(self) -> str:
        """Names the terms that usage is rated by: plan, version, and a hash of what is the company's own."""
        own = f":{_short_hash(self.overrides.model_dump_json())}" if self.overrides != NONE else ""
        return f"{self.plan.plan_key}:v{self.plan.version}{own}"

    @property
    def own_plan(self) -> Plan:
        """The plan with the company's own terms in it.

        Raises:
            ValidationError: when they contradict the rest of the plan.
        """
        own, plan = self.overrides, self.plan
        if own == NONE:
            return plan
        replaced = {
            name: value
            for name in ("monthly_base_fee", "minimum_spend", "maximum_spend")
            if (value := getattr(own, name)) is not None
        }
        fields = {
            "charges": _merged(plan.charges, own.charges, "meter"),
            "limits": _merged(plan.limits, own.limits, "meter"),
            "features": _merged(plan.features, own.features, "name"),
            "discounts": (*plan.discounts, *own.discounts),
        }
        return Plan.model_validate({**dict(plan), **replaced, **fields})


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee that is owed whatever is used, as the steps that it is made of."""

    charge: str
    quantity: Decimal
    unit: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class PeriodTerms:
    """What one usage period, or a part of it, is rated by; amounts and allowances are scaled to the part.

    `seasonal` is the change of price in percent by meter.
    """

    plan_key: str
    plan_version: int
    currency: str
    charges: tuple[Priced, ...]
    fees: tuple[Fee, ...]
    seasonal: Mapping[str, Decimal]
    minimum_spend: Decimal | None
    maximum_spend: Decimal | None
    limits: tuple[Limit, ...]


@exactly
def period_terms(
    agreed: Plan | Contract, usage_period: date | None = None, share: Fraction = Fraction(1)
) -> PeriodTerms:
    """The terms of a usage period, named by its first day, or of the `share` of it for which they hold.

    A part of a period is a small period: fees, included units, tier bounds, minimum and maximum are in proportion.
    Without a period no seasonal price applies.
    """
    contract = agreed if isinstance(agreed, Contract) else Contract(agreed)
    plan = contract.own_plan
    return PeriodTerms(
        plan_key=plan.plan_key,
        plan_version=plan.version,
        currency=plan.currency,
        charges=tuple(_discounted(plan, charge).scaled(share) for charge in plan.priced_charges),
        fees=tuple(_fees(contract, plan, share)),
        seasonal=_seasonal(contract, usage_period),
        minimum_spend=scaled(plan.minimum_spend, share),
        maximum_spend=scaled(plan.maximum_spend, share),
        limits=plan.limits,
    )


def contract_problems(contract: Contract) -> Iterable[str]:
    """What a company can't have booked, each as one sentence; nothing where all is well."""
    plan = contract.plan
    label = f"plan {plan.plan_key} v{plan.version}"
    if contract.billing_interval == "year" and plan.annual is None:
        yield f"billing_interval: {label} can't be paid by the year"
    offered = {add_on.key: add_on for add_on in plan.add_ons}
    for key, quantity in contract.add_ons.items():
        if key not in offered:
            yield f"add_ons.{key}: {label} has no such add-on; use {', '.join(offered) or 'none'}"
            continue
        most = offered[key].maximum_quantity
        if quantity < 1 or (most is not None and quantity > most):
            yield f"add_ons.{key}: {quantity} is not between 1 and {'any number' if most is None else most}"
    offers = {offer.key: offer for offer in plan.seasonal_offers}
    for booking in contract.overrides.seasonal:
        offer = offers.get(booking.key)
        if offer is None:
            yield f"overrides.seasonal: {label} offers no {booking.key}; use {', '.join(offers) or 'none'}"
        elif booking.months < offer.min_months or booking.months > (offer.max_months or booking.months):
            longest = offer.max_months or "any number of"
            bounds = f"{offer.min_months} to {longest} months"
            yield f"overrides.seasonal: {booking.key} is for {bounds}, not {booking.months}"
    if contract.overrides.charges and (strange := _other_meters(contract)):
        yield f"overrides.charges: {label} does not charge {', '.join(strange)}"


def _other_meters(contract: Contract) -> list[str]:
    known = contract.plan.meters | {charge.meter for charge in contract.plan.charges}
    return sorted({charge.meter for charge in contract.overrides.charges} - known)


def _merged(theirs: tuple[Terms, ...], own: tuple[Terms, ...], name: str) -> tuple[Terms, ...]:
    replaced = {getattr(item, name): item for item in own}
    kept = [replaced.pop(getattr(item, name), item) for item in theirs]
    return (*kept, *replaced.values())


def _discounted(plan: Plan, charge: Priced) -> Priced:
    percent = _discount_of(plan, charge.meter, charge.discount_percent)
    return charge if percent == charge.discount_percent else charge.model_copy(update={"discount_percent": percent})


def _discount_of(plan: Plan, charge: str, percent: Decimal = Decimal(0)) -> Decimal:
    """What all discounts of a charge come to, in percent: each is taken off what the others left."""
    rest = 100 - percent
    for discount in plan.discounts:
        if discount.charge in (None, charge):
            rest = rest * (100 - discount.percent) / 100
    return 100 - rest


def _fees(contract: Contract, plan: Plan, share: Fraction) -> Iterable[Fee]:
    annual = plan.annual.discount_percent if plan.annual and contract.billing_interval == "year" else Decimal(0)
    if plan.monthly_base_fee:
        discount = _discount_of(plan, BASE_FEE, annual)
        yield Fee(BASE_FEE, Decimal(1), "month", _fee_steps(1, plan.monthly_base_fee, discount, share))
    for add_on in plan.add_ons:
        charge, quantity = f"add_on:{add_on.key}", contract.add_ons.get(add_on.key, 0)
        if quantity and add_on.monthly_fee:
            steps = _fee_steps(quantity, add_on.monthly_fee, _discount_of(plan, charge), share)
            yield Fee(charge, Decimal(quantity), "unit", steps)


def _fee_steps(quantity: int, price: Decimal, discount: Decimal, share: Fraction) -> tuple[Step, ...]:
    """The fee of a whole period, what discounts take off it, and the part of the period for which it is not owed."""
    full = Step(Decimal(quantity), price)
    off = cost_of([full]) * discount / 100
    rest = cost_of([full]) - off
    changes = Step.adjusting("discount", -off), Step.adjusting("proration", (scaled(rest, share) or Decimal(0)) - rest)
    return (full, *(step for step in changes if step.flat_fee))


def _seasonal(contract: Contract, usage_period: date | None) -> dict[str, Decimal]:
    offers = {offer.key: offer for offer in contract.plan.seasonal_offers}
    changes: dict[str, Decimal] = {}
    for booking in contract.overrides.seasonal:
        if usage_period is not None and booking.covers(usage_period):
            offer = offers[booking.key]
            changes[offer.charge] = changes.get(offer.charge, Decimal(0)) + offer.percent
    return changes


def _short_hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=4).hexdigest()
