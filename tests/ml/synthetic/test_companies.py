"""Who is in a world, since when, and what the reference feeds say."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ml.synthetic import ARCHETYPES, DEFAULT_PLAN_KEYS
from ml.synthetic.companies import make_companies
from ml.synthetic.volumes import daily_levels, daily_volumes

START = date(2026, 10, 1)


def companies(count=48, days=45, seed=7):
    return make_companies(count, days, START, seed, DEFAULT_PLAN_KEYS)


def test_a_third_is_older_than_the_world_and_the_rest_becomes_a_week_or_two_old_in_it():
    days = [(company.activated_at.date() - START).days for company in companies()]
    assert sum(day < -59 for day in days) == 16
    fresh = [day for day in days if day >= 0]
    cohorts = {0: [0], 7: [5, 6, 7], 31: [29, 30, 31], 38: [36, 37, 38]}
    counts = {aim: sum(day in wanted for day in fresh) for aim, wanted in cohorts.items()}
    assert counts == dict.fromkeys(cohorts, 8)


def test_every_archetype_is_in_every_cohort_and_both_markets():
    cohorts, countries = defaultdict(set), defaultdict(set)
    for company in companies():
        age = max(-9, (company.activated_at.date() - START).days)
        cohorts[company.archetype.key].add((age + 2) // 7)
        countries[company.archetype.key].add(company.market.country)
    assert cohorts == {archetype.key: {-1, 0, 1, 4, 5} for archetype in ARCHETYPES}
    assert countries == {archetype.key: {"DE", "US"} for archetype in ARCHETYPES}


@pytest.mark.parametrize("days", [2, 3, 9, 16, 45])
def test_nobody_is_activated_beyond_a_short_world(days):
    last = START + timedelta(days=days - 2)
    assert all(company.activated_at.date() <= last for company in companies(24, days))


def test_names_and_keys_are_unique_and_without_persons():
    population = companies()
    assert len({company.key for company in population}) == len({company.name for company in population}) == 48
    assert all(company.name.rsplit(" ", 1)[1].isdigit() for company in population)


def test_activations_are_at_varying_local_hours():
    assert len({company.activated_at.hour for company in companies()}) > 5


def test_plans_are_of_the_currency_of_the_company_and_partly_ill_fitting():
    population = companies()
    assert all(company.plan in DEFAULT_PLAN_KEYS[company.market.currency] for company in population)
    old = [company for company in population if company.activated_at.date() < START]
    fits = Counter(company.plan.startswith(company.archetype.plans[0]) for company in old)
    assert fits[True] >= 4
    assert fits[False] >= 4


def test_a_currency_without_plans_is_refused():
    with pytest.raises(ValueError, match="no plan in USD"):
        make_companies(3, 9, START, 1, {"EUR": ["trial"]})


def test_the_bounds_of_an_archetype_hold_against_the_wanted_size():
    population = companies(12)
    for events in (1, 1_000_000):
        volumes = daily_volumes(population, 45, START, events, 7)
        for company, volume in zip(population, volumes, strict=True):
            least, _, most = company.archetype.calls_per_day
            assert 0.7 * least <= volume <= 1.5 * most


def test_a_company_has_no_level_before_its_activation_and_then_rises():
    for company in companies():
        age = (company.activated_at.date() - START).days
        levels = daily_levels(company, 45, START)
        assert (levels[: max(age, 0)] == 0).all()
        if age >= 0:
            assert np.all(np.diff(levels[age : age + 6]) > 0)


def test_the_companies_feed_has_exactly_its_fields(world):
    rows = world.feed("companies")
    expected = ["company", "valid_from", "name", "industry", "country", "time_zone"]
    expected += ["business_hours", "locale", "currency", "activated_at", "contact_email"]
    for row in rows:
        assert list(row) == [*expected, "arrived_on"]
        assert row["contact_email"].endswith("@example.com")
        assert datetime.fromisoformat(row["valid_from"]) <= datetime.fromisoformat(row["activated_at"])
        activated = datetime.fromisoformat(row["activated_at"])
        assert activated.utcoffset() == activated.astimezone(ZoneInfo(row["time_zone"])).utcoffset()
        assert set(row["business_hours"]) <= {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
        assert all(opening < closing for opening, closing in row["business_hours"].values())
    assert {row["industry"] for row in rows} == {archetype.industry for archetype in ARCHETYPES}


def test_the_other_feeds_have_exactly_their_fields(world):
    for row in world.feed("branches"):
        assert list(row) == ["company", "branch", "valid_from", "name", "city", "region", "arrived_on"]
    for row in world.feed("subscriptions"):
        assert list(row) == [
            "company",
            "valid_from",
            "plan",
            "plan_version",
            "status",
            "stripe_customer_id",
            "arrived_on",
        ]
        assert (row["plan_version"], row["status"], row["stripe_customer_id"][:4]) == (1, "active", "cus_")


def test_later_companies_arrive_on_the_day_before_their_activation(world):
    for row in world.feed("companies"):
        eve = date.fromisoformat(row["activated_at"][:10]) - timedelta(days=1)
        assert row["arrived_on"] == max(START, eve).isoformat()
