import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from ml.rating.catalogue import CatalogueError, default_catalogue, load_catalogue
from ml.rating.charges import MODEL_NAMES
from ml.rating.meters import METERS
from ml.rating.plan import Plan

DEFAULT = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
S0_KEYS = {"volumen", "hybrid", "flatrate", "zeitbasiert", "nebenzeit"}
S3_KEYS = {"per_minute", "per_appointment", "package", "combined"}


def terms(**overrides: Any) -> dict[str, Any]:
    return {
        "plan_key": "volumen",
        "version": 1,
        "name": "Volumen-Tarif",
        "currency": "EUR",
        "option": "volume",
        "valid_from": "2024-01-01",
        **overrides,
    }


def per_unit(**overrides: Any) -> dict[str, Any]:
    return {"model": "per_unit", "meter": "calls", "unit_price": "0.15", **overrides}


def tiered(*bounds: Any, **overrides: Any) -> dict[str, Any]:
    tiers = [{"up_to": bound, "unit_price": "0.15"} for bound in bounds]
    return {"model": "graduated", "meter": "calls", "tiers": tiers, **overrides}


def sentences(*plans: Any) -> tuple[str, ...]:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(yaml.safe_dump({"plans": list(plans)}), "prices.yaml")
    return caught.value.sentences


@pytest.mark.parametrize(
    ("charge", "sentence"),
    [
        (
            tiered(500, 500, None),
            "charges[0].tiers[1].up_to: 500 does not lie above the tier before it (500); tiers must ascend",
        ),
        (
            tiered(500, 300, None),
            "charges[0].tiers[1].up_to: 300 does not lie above the tier before it (500); tiers must ascend",
        ),
        (
            tiered(0, None),
            "charges[0].tiers[0].up_to: 0 does not lie above 0, where the first tier starts; tiers must ascend",
        ),
        (
            tiered(500, None, 1000, None),
            "charges[0].tiers[1].up_to: the tier is open, but another one follows it; only the last tier may be open",
        ),
        (
            tiered(500, 1000),
            "charges[0].tiers[1].up_to: the last tier ends at 1000; "
            "leave it open (null), so that all usage has a price",
        ),
        (
            tiered(500, 500, None, model="volume"),
            "charges[0].tiers[1].up_to: 500 does not lie above the tier before it (500); tiers must ascend",
        ),
        (
            tiered(),
            "charges[0].tiers: tuple should have at least 1 item after validation, not 0 (found '[]')",
        ),
        (
            tiered(None, zero_usage_flat="all"),
            "charges[0].zero_usage_flat: 'all' is not allowed; use 'first_tier' or 'none'",
        ),
        (
            per_unit(unit_price="-0.15"),
            "charges[0].unit_price: -0.15 is too small; it must be 0 or more",
        ),
        (
            per_unit(included=-1),
            "charges[0].included: -1 is too small; it must be 0 or more",
        ),
        (
            per_unit(per=0),
            "charges[0].per: 0 is too small; it must be 1 or more",
        ),
        (
            per_unit(unit_price=True),
            "charges[0].unit_price: True is not a number",
        ),
        (
            per_unit(unit_price=float("nan")),
            "charges[0].unit_price: input should be a finite number (found 'nan')",
        ),
        (
            per_unit(meter="minutes"),
            f"charges[0].meter: 'minutes' is not a known meter; use one of {', '.join(METERS)}",
        ),
        (
            per_unit(included_units=500),
            "charges[0].included_units: there is no such field; check its spelling",
        ),
        (
            {"model": "per_unit", "meter": "calls"},
            "charges[0].unit_price: the field is missing",
        ),
        (
            per_unit(model="parcel"),
            "charges[0]: 'parcel' is not a charge model; use one of " + ", ".join(MODEL_NAMES),
        ),
        (
            {"meter": "calls", "unit_price": 1},
            "charges[0]: the charge names no model; add model: with one of " + ", ".join(MODEL_NAMES),
        ),
    ],
)
def test_a_wrong_charge_is_one_sentence_that_names_plan_and_field(charge: dict[str, Any], sentence: str) -> None:
    assert sentences(terms(charges=[charge])) == (f"plan volumen v1, {sentence}",)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"monthly_base_fee": "-1"}, "v1, monthly_base_fee: -1 is too small; it must be 0 or more"),
        ({"version": 0}, "v0, version: 0 is too small; it must be 1 or more"),
        ({"currency": "euro"}, "v1, currency: 'euro' does not have the form ^[A-Z]{3}$"),
        ({"currency": "EUS"}, "v1, currency: 'EUS' is no currency; give its ISO 4217 code, such as EUR"),
        ({"currency": "XXX"}, "v1, currency: 'XXX' is no currency; give its ISO 4217 code, such as EUR"),
        (
            {"option": "cheap"},
            "v1, option: 'cheap' is not allowed; use 'volume', 'flat_rate', 'hybrid', 'time_based' or 'standard'",
        ),
        ({"setup_fee": 0}, "v1, setup_fee: there is no such field; check its spelling"),
    ],
)
def test_a_wrong_plan_field_is_one_sentence(overrides: dict[str, Any], sentence: str) -> None:
    assert sentences(terms(**overrides)) == (f"plan volumen {sentence}",)


@pytest.mark.parametrize("currency", ["EUR", "USD", "JPY", "KWD", "GBP", "CHF", "HRK"])
def test_currencies_are_those_of_iso_4217_and_withdrawn_ones_stay_readable(currency: str) -> None:
    assert Plan.model_validate(terms(currency=currency)).currency == currency


@pytest.mark.parametrize(
    "own", [{"fixed_per_event": "0.30"}, {"free_events": 3}, {"event_minimum": 1}, {"event_maximum": 9}]
)
def test_events_are_priced_only_of_meters_that_keep_them(own: dict[str, Any]) -> None:
    share = {"model": "percentage", "rate_percent": 2}
    assert sentences(terms(charges=[per_unit(), {**share, "meter": "revenue", **own}])) == (
        "plan volumen v1, charges[1].meter: revenue is not kept event by event; use payments, "
        "or leave out what is priced per event",
    )
    Plan.model_validate(terms(charges=[{**share, "meter": "revenue"}]))
    Plan.model_validate(terms(charges=[{**share, "meter": "payments", **own}]))


def test_two_charges_for_one_meter_are_refused() -> None:
    charges = [per_unit(), per_unit(meter="appointments"), tiered(None)]
    expected = "plan volumen v1, charges[2].meter: calls is already charged by charges[0]; keep one charge per meter"
    assert sentences(terms(charges=charges)) == (expected,)


def test_the_same_version_of_a_plan_twice_is_refused() -> None:
    expected = "plan volumen v1, version: this version is there twice; give changed terms a new version"
    assert sentences(terms(), terms(name="Other")) == (expected,)


def test_all_that_is_wrong_is_said_at_once_and_each_line_begins_with_the_source() -> None:
    wrong = [terms(charges=[tiered(500, 500), per_unit(meter="x", unit_price=-1)]), 7, terms(version=2, currency="E")]
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(yaml.safe_dump({"plans": wrong}), "prices.yaml")
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "plan volumen v1, charges[0].tiers[1].up_to",
        "plan volumen v1, charges[0].tiers[1].up_to",
        "plan volumen v1, charges[1].meter",
        "plan volumen v1, charges[1].unit_price",
        "plans[1]",
        "plan volumen v2, currency",
    ]
    assert all(line.startswith("prices.yaml: ") for line in lines)


def test_bad_yaml_is_reported_with_source_and_line() -> None:
    with pytest.raises(CatalogueError, match=r"^prices\.yaml: line 3: this is not valid YAML: "):
        load_catalogue("plans:\n  - plan_key: a\n    name: b: c\n", "prices.yaml")


@pytest.mark.parametrize("text", ["", "plans:", "plans: []", "plans: 3", "[1]", "plans: [1]\nother: 2"])
def test_a_catalogue_without_a_list_of_plans_is_refused(text: str) -> None:
    with pytest.raises(CatalogueError, match="one key `plans:` with a list of at least one plan"):
        load_catalogue(text, "prices.yaml")


def test_a_yaml_float_is_read_as_it_is_written() -> None:
    text = yaml.safe_dump({"plans": [terms(monthly_base_fee=0.15, charges=[per_unit(unit_price=0.1)])]})
    (plan,) = load_catalogue(text, "prices.yaml")
    assert (plan.monthly_base_fee, plan.charges[0].unit_price) == (Decimal("0.15"), Decimal("0.1"))


def test_a_plan_may_have_a_second_version_with_other_prices() -> None:
    first = terms(charges=[per_unit()])
    second = terms(version=2, valid_from="2025-07-01", charges=[per_unit(unit_price="0.17")])
    plans = load_catalogue(yaml.safe_dump({"plans": [first, second]}), "prices.yaml")
    assert [(plan.plan_key, plan.version, plan.valid_from) for plan in plans] == [
        ("volumen", 1, date(2024, 1, 1)),
        ("volumen", 2, date(2025, 7, 1)),
    ]
    assert [plan.charges[0].unit_price for plan in plans] == [Decimal("0.15"), Decimal("0.17")]


def test_plans_are_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DEFAULT["volumen"].monthly_base_fee = Decimal(1)  # type: ignore[misc]


@pytest.mark.parametrize("plan", DEFAULT.values(), ids=lambda plan: plan.plan_key)
def test_terms_survive_a_round_trip_through_json_exactly(plan: Plan) -> None:
    again = Plan.model_validate(json.loads(json.dumps(plan.terms())))
    assert again == plan
    assert again.terms() == plan.terms()


def test_the_default_catalogue_holds_each_plan_in_eur_and_usd_with_the_same_figures() -> None:
    phone = {key: plan for key, plan in DEFAULT.items() if plan.product == "phone"}
    euro = {key: plan for key, plan in phone.items() if plan.currency == "EUR"}
    assert euro.keys() == S0_KEYS | S3_KEYS | {"trial"}
    assert phone.keys() - euro.keys() == {f"{key}-usd" for key in euro}
    for key, plan in euro.items():
        assert DEFAULT[f"{key}-usd"] == plan.model_copy(update={"plan_key": f"{key}-usd", "currency": "USD"})


def test_the_default_plans_answer_their_options() -> None:
    options = {key: DEFAULT[key].option for key in sorted(S0_KEYS | S3_KEYS)}
    assert options == dict.fromkeys(sorted(S3_KEYS), "standard") | {
        "volumen": "volume",
        "hybrid": "hybrid",
        "flatrate": "flat_rate",
        "zeitbasiert": "time_based",
        "nebenzeit": "time_based",
    }


def test_only_the_trial_is_not_for_sale() -> None:
    assert {key for key, plan in DEFAULT.items() if not plan.is_sellable} == {"trial", "trial-usd"}
    assert {key for key, plan in DEFAULT.items() if plan.is_trial} == {"trial", "trial-usd"}


PHONE = [plan for plan in DEFAULT.values() if plan.product == "phone"]


@pytest.mark.parametrize("plan", PHONE, ids=lambda plan: plan.plan_key)
def test_every_phone_plan_meters_all_call_time_once_and_appointments(plan: Plan) -> None:
    assert plan.meters in (
        {"call_seconds", "appointments"},
        {"business_hours_call_seconds", "after_hours_call_seconds", "appointments"},
        {"peak_call_seconds", "off_peak_call_seconds", "appointments"},
    )


def test_the_volume_plan_tells_its_three_benefits_in_german_and_english() -> None:
    benefits = DEFAULT["volumen"].benefits
    assert benefits["de"] == ["Günstiger bei hohem Volumen", "Keine Grundgebühr", "Transparente Staffelpreise"]
    assert len(benefits["en"]) == 3
