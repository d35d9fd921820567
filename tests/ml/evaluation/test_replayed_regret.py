"""What followed a recommendation, priced by hand: a unit of `calls` costs what the plan's name says."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from ml.evaluation.replayed_figures import AFTER_A_TRIAL, FEWEST, compare_choosers, told_and_seen
from ml.evaluation.replayed_regret import replay_recommendations
from ml.rating.plan import Plan


def plan(name: str, fee: str, price: str, **terms) -> Plan:
    charges = [{"model": "per_unit", "meter": "calls", "unit_price": price}]
    given = {"plan_key": name, "version": 1, "name": name, "currency": "EUR", "monthly_base_fee": fee}
    return Plan.model_validate(
        given | {"option": "standard", "valid_from": date(2026, 1, 1), "charges": charges} | terms
    )


TRIAL, SMALL, LARGE, FLAT, OLD, DESK, DESK_FLAT = range(1, 8)
PLANS = {
    TRIAL: plan("trial", "0", "0", is_trial=True),
    SMALL: plan("small", "0", "1.00"),
    LARGE: plan("large", "50.00", "0.50"),
    FLAT: plan("flat", "120.00", "0"),
    OLD: plan("old", "0", "0.40"),
    DESK: plan("desk", "0", "2.00", product="desk"),
    DESK_FLAT: plan("desk_flat", "30.00", "0", product="desk"),
}
ON_SALE = (SMALL, LARGE, FLAT)
SWITCH, STAY, TRIAL_ENDS = "cheaper_with_good_odds", "no_option_passes", "trial_ends"


class World:
    """Recommendations with the calls before and after them."""

    def __init__(self) -> None:
        self.rows, self.options, self.followed, self.before = [], [], [], []

    def add(self, held, advised, followed, before=None, options=ON_SALE, last_days=30, **fields) -> "World":
        number = len(self.rows) + 1
        key = f"day-14:{number}"
        reason = TRIAL_ENDS if held == TRIAL else STAY if held == advised else SWITCH
        row = {
            "company_id": number,
            "recommendation_key": key,
            "recommendation_type": "initial",
            "action": "stay" if held == advised else "switch",
            "currency": "EUR",
            "as_of": date(2026, 10, 15),
            "current_plan_id": held,
            "recommended_plan_id": advised,
            "probability": 0.8,
            "reason": reason,
            "history_days": 13,
            "last_days": last_days,
        }
        self.rows.append(row | fields)
        ranked = [advised, *(option for option in dict.fromkeys([*options, held]) if option != advised)]
        self.options += [(key, option, rank) for rank, option in enumerate(ranked, 1)]
        self.followed.append((key, "calls", followed))
        self.before.append((key, "calls", followed if before is None else before))
        return self

    def replayed(self) -> pd.DataFrame:
        usage = ["recommendation_key", "meter", "quantity"]
        return replay_recommendations(
            pd.DataFrame(self.rows),
            pd.DataFrame(self.options, columns=["recommendation_key", "plan_id", "rank"]),
            pd.DataFrame(self.followed, columns=usage),
            pd.DataFrame(self.before, columns=usage),
            PLANS,
        )

    def only(self) -> dict:
        (row,) = self.replayed().to_dict("records")
        return row


def test_a_switch_is_priced_beside_staying_the_best_in_hindsight_and_last_month_s_cheapest():
    row = World().add(SMALL, LARGE, followed=200, before=80).only()
    # 200 calls cost 200 on small, 150 on large and 120 flat; 80 calls 80, 90 and 120.
    assert (row["recommended_cost"], row["stay_cost"]) == (150, 200)
    assert (row["best_plan_id"], row["best_cost"]) == (FLAT, 120)
    assert (row["last_month_plan_id"], row["last_month_cost"]) == (SMALL, 200)
    assert (row["regret"], row["saving"], row["is_harmed"], row["was_right"]) == (30, 50, False, True)


def test_a_stay_was_right_when_the_best_ranked_other_plan_was_not_cheaper():
    right = World().add(SMALL, SMALL, followed=90).only()
    wrong = World().add(SMALL, SMALL, followed=110).only()
    # Rank 2 is large: 95 against 90, and 105 against 110.
    assert (right["was_right"], right["saving"], right["is_harmed"]) == (True, 0, False)
    assert (wrong["was_right"], wrong["regret"], wrong["is_harmed"]) == (False, 5, False)


@pytest.mark.parametrize(
    ("followed", "is_harmed"), [(98, True), (99, False), (99.5, False), (100, False), (101, False)]
)
def test_harm_begins_above_one_percent(followed, is_harmed):
    row = World().add(SMALL, LARGE, followed=followed).only()  # 99 against 98; 99.5 against 99
    assert row["is_harmed"] == is_harmed
    assert row["was_right"] == (followed > 100)


def test_a_trial_can_not_be_kept_so_it_is_neither_staying_nor_the_best():
    row = World().add(TRIAL, SMALL, followed=110, before=80).only()
    assert (row["best_plan_id"], row["best_cost"], row["regret"]) == (LARGE, 105, 5)
    assert (row["last_month_plan_id"], row["last_month_cost"]) == (SMALL, 110)
    assert np.isnan(row["stay_cost"])
    assert np.isnan(row["saving"])
    assert row["is_harmed"] is None
    assert row["was_right"] is False
    assert World().add(TRIAL, LARGE, followed=110).only()["was_right"] is True


def test_a_trial_that_is_the_only_option_is_kept():
    row = World().add(TRIAL, TRIAL, followed=110, options=(), reason="only_option").only()
    assert (row["stay_cost"], row["best_plan_id"], row["regret"], row["is_harmed"]) == (0, TRIAL, 0, False)
    assert row["was_right"] is None


def test_a_short_last_month_is_scaled_and_one_that_is_not_known_changes_nothing():
    # 60 calls in 15 days are 120 in a month: 120 on small, 110 on large.
    assert World().add(SMALL, SMALL, 90, before=60, last_days=15).only()["last_month_plan_id"] == LARGE
    assert World().add(SMALL, SMALL, 90, before=60, last_days=30).only()["last_month_plan_id"] == SMALL
    assert World().add(FLAT, FLAT, 90, before=0, last_days=0).only()["last_month_plan_id"] == FLAT
    assert World().add(TRIAL, LARGE, 90, before=0, last_days=0).only()["last_month_plan_id"] == LARGE


def test_between_equals_the_plan_held_is_the_best_one():
    for held in (SMALL, LARGE):
        row = World().add(held, held, followed=100).only()
        assert (row["best_plan_id"], row["last_month_plan_id"]) == (held, held)


def test_the_best_single_plan_is_that_of_all_of_a_month_and_currency():
    world = World().add(SMALL, SMALL, followed=20).add(SMALL, FLAT, followed=400).add(SMALL, LARGE, followed=150)
    # small 20 + 400 + 150, large 60 + 250 + 125, flat 3 x 120
    together = world.replayed()
    assert together["single_plan_id"].tolist() == [FLAT] * 3
    assert together["single_plan_cost"].tolist() == [120] * 3
    world.rows[1]["as_of"] = date(2026, 11, 1)
    assert world.replayed()["single_plan_id"].tolist() == [SMALL, FLAT, SMALL]
    world.rows[0]["currency"] = "USD"
    assert world.replayed()["single_plan_id"].tolist() == [SMALL, FLAT, FLAT]


def test_a_plan_that_few_could_have_is_not_the_single_one_and_to_whom_it_was_not_open_stays():
    world = World().add(OLD, OLD, followed=900).add(SMALL, SMALL, followed=100).add(SMALL, SMALL, followed=100)
    # With old, which only the first has, all would pay 360 + 100 + 100; flat costs 3 x 120.
    assert world.replayed()["single_plan_id"].tolist() == [FLAT] * 3
    world.followed[0] = ("day-14:1", "calls", 90)
    assert world.replayed()["single_plan_id"].tolist() == [SMALL] * 3
    narrow = World().add(SMALL, SMALL, followed=200, options=(SMALL, LARGE)).add(LARGE, LARGE, followed=300)
    # flat 200, where it was not open, + 120; large 150 + 200; small 200 + 300
    assert narrow.replayed()["single_plan_id"].tolist() == [SMALL, FLAT]
    assert narrow.replayed()["single_plan_cost"].tolist() == [200, 120]
    narrow.followed[1] = ("day-14:2", "calls", 140)
    # flat 200 + 120, which would be less had it been open to both; large 150 + 120
    assert narrow.replayed()["single_plan_id"].tolist() == [LARGE, LARGE]


def test_when_no_plan_is_open_to_half_the_most_open_ones_compete():
    world = World()
    for held in (SMALL, LARGE, FLAT):
        world.add(held, held, followed=200, options=())
    assert world.replayed()["single_plan_cost"].tolist() == [200, 150, 120]


def test_plans_of_another_product_have_a_single_plan_of_their_own():
    world = World().add(DESK, DESK, 20, options=(DESK, DESK_FLAT)).add(SMALL, SMALL, followed=110)
    assert world.replayed()["single_plan_id"].tolist() == [DESK_FLAT, LARGE]


def test_meters_without_usage_and_recommendations_without_any_cost_the_fees():
    world = World().add(LARGE, FLAT, followed=0)
    world.followed = []
    row = world.only()
    assert (row["recommended_cost"], row["stay_cost"], row["best_plan_id"], row["regret"]) == (120, 50, SMALL, 120)
    assert row["is_harmed"]
    assert not row["was_right"]


def test_what_is_missing_is_named():
    world = World().add(SMALL, LARGE, followed=10)
    world.options = [row for row in world.options if row[1] != LARGE]
    with pytest.raises(ValueError, match=r"options lacks plans that \['day-14:1'\] hold or advise"):
        world.replayed()
    with pytest.raises(ValueError, match="options lacks the columns plan_id, rank"):
        replay_recommendations(
            pd.DataFrame(world.rows), pd.DataFrame({"recommendation_key": []}), *[pd.DataFrame()] * 2, PLANS
        )


def test_choosers_are_compared_on_the_same_recommendations():
    world = World().add(SMALL, LARGE, followed=200, before=80).add(SMALL, LARGE, followed=90)
    table = compare_choosers(world.add(TRIAL, SMALL, followed=110).replayed()).set_index(["group", "chooser"])
    # Best: 120 and 90. Advised 150 and 95; staying 200 and 90; last month's small 200 and small 90.
    advised = table.loc["all", "recommended"]
    assert advised["regret_share"] == pytest.approx(35 / 210)
    assert (advised["mean_regret"], advised["cases"], advised["switches"]) == (17.5, 2, 2)
    assert advised["p90_regret"] == pytest.approx(5 + 0.9 * 25)
    assert advised["captured_share"] == pytest.approx(45 / 80)
    assert advised["harmed_share"] == advised["harmed_among_switches"] == 0.5
    assert table.loc["all", "stay"]["regret_share"] == pytest.approx(80 / 210)
    assert table.loc["all", "stay"]["captured_share"] == 0
    assert table.loc["all", "last_month"]["mean_regret"] == 40
    assert table.loc["all", "best_single_plan"]["regret_share"] == pytest.approx(35 / 210)
    ended = table.loc[AFTER_A_TRIAL]
    assert set(ended.index) == {"recommended", "last_month", "best_single_plan"}
    assert ended.loc["recommended", "mean_regret"] == 5
    assert ended.loc["recommended", ["captured_share", "harmed_share", "harmed_among_switches"]].isna().all()
    assert set(table.index.get_level_values("group")) == {"all", AFTER_A_TRIAL}


def test_parts_have_figures_of_their_own_from_twenty_on_and_currencies_are_never_mixed():
    world = World()
    for place in range(FEWEST):
        world.add(SMALL, SMALL, followed=90 + place, history_days=27 if place else 28)
    world.add(SMALL, SMALL, followed=1, currency="USD", recommendation_type="adjustment")
    table = compare_choosers(world.replayed())
    assert set(zip(table["currency"], table["group"], strict=True)) == {
        ("EUR", "all"),
        ("EUR", "initial"),
        ("USD", "all"),
    }
    assert set(table.loc[table["currency"] == "USD", "cases"]) == {1}
    world.add(SMALL, SMALL, followed=90, history_days=27)
    assert "under 28 days" in set(compare_choosers(world.replayed())["group"])


def test_what_was_told_is_held_against_what_was_seen():
    world = World()
    for followed, told in ((200, 0.82), (200, 0.84), (90, 0.86), (200, 0.95)):
        world.add(SMALL, LARGE, followed=followed, probability=told)
    world.add(SMALL, SMALL, followed=90, probability=1.0).add(SMALL, SMALL, 0, reason="no_usage", probability=0.0)
    table = told_and_seen(world.replayed()).set_index(["action", "decile"])
    assert table.index.tolist() == [("stay", 10), ("switch", 9), ("switch", 10)]
    ninth = table.loc["switch", 9]
    assert ninth["recommendations"] == 3
    assert ninth["mean_probability"] == pytest.approx(0.84)
    assert ninth["observed_frequency"] == pytest.approx(2 / 3)
    assert not ninth["is_shown"]


def test_nothing_that_is_over_is_no_figures():
    nothing = World().add(SMALL, SMALL, followed=1)
    empty = nothing.replayed().iloc[:0]
    assert compare_choosers(empty).empty
    assert told_and_seen(empty).empty
