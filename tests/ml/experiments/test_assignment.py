"""Assignment: by chance, balanced, and always the same."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.experiments.assignment import BLOCK, assign


def companies(count: int, *strata: str, first: int = 0) -> dict[str, str]:
    names = strata or ("hybrid/low",)
    return {f"company-{first + number}": names[number % len(names)] for number in range(count)}


def after(*batches: dict[str, str], experiment: str = "x") -> dict[str, str]:
    """Arms by company when the batches come one after the other."""
    arms: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for batch in batches:
        for one in assign(experiment, batch, taken):
            arms[one.company_key] = one.arm
            assert one.position == taken[one.stratum]
            taken[one.stratum] += 1
    return arms


def test_the_same_companies_get_the_same_arms_in_whatever_order_they_are_read():
    known = companies(30, "hybrid/low", "hybrid/high")
    assert after(known) == after(dict(reversed(known.items())))


def test_another_experiment_assigns_anew():
    assert after(companies(200)) != after(companies(200), experiment="y")


def test_who_comes_later_changes_nobody_before():
    first, second = companies(7), companies(9, first=7)
    together = after(first, second)
    assert {key: together[key] for key in first} == after(first)


@given(st.lists(st.lists(st.sampled_from(["p/low", "p/high", "q/low"]), max_size=9), max_size=8))
def test_arms_are_balanced_in_each_stratum_however_companies_come(batches):
    named = [{f"{number}-{place}": name for place, name in enumerate(strata)} for number, strata in enumerate(batches)]
    arms, strata = after(*named), {key: name for batch in named for key, name in batch.items()}
    for stratum in set(strata.values()):
        counts = Counter(arms[key] for key, name in strata.items() if name == stratum)
        assert abs(counts["a"] - counts["b"]) <= BLOCK // 2


@pytest.mark.parametrize("place", range(BLOCK))
def test_no_place_in_a_block_favours_an_arm(place):
    arms = [assign(f"x{number}", companies(BLOCK), {})[place].arm for number in range(2000)]
    # Four standard errors of a half.
    assert arms.count("a") == pytest.approx(1000, abs=90)


def test_a_company_is_as_often_in_each_arm():
    arms = [after(companies(5), experiment=f"x{number}")["company-3"] for number in range(2000)]
    assert arms.count("a") == pytest.approx(1000, abs=90)
