"""Looks: when they are due, and what they may conclude."""

import numpy as np
import pytest

from ml.experiments.effect import Outcomes
from ml.experiments.looks import Look, due_step, take_look


def outcomes(count_a: int, count_b: int, rate_a: float, rate_b: float, idle: int = 0) -> Outcomes:
    """Companies with one case each, exactly these rates, and some without any case."""
    hits = [np.arange(count) < round(count * rate) for count, rate in ((count_a, rate_a), (count_b, rate_b))]
    numerator = np.concatenate([*hits, np.zeros(idle)]).astype(float)
    is_b = np.concatenate([np.zeros(count_a), np.ones(count_b), np.ones(idle)]).astype(bool)
    denominator = np.concatenate([np.ones(count_a + count_b), np.zeros(idle)])
    return Outcomes(is_b, np.zeros(len(is_b), dtype=np.int64), numerator, denominator)


@pytest.fixture
def design(make_design):
    return make_design()


@pytest.fixture
def after(design):
    def take(*arms: tuple[int, int, float, float], is_final: bool = False) -> list[Look]:
        looks: list[Look] = []
        for number, arm in enumerate(arms, 1):
            step = design.looks if is_final and number == len(arms) else number
            looks.append(take_look(design, outcomes(*arm), step, looks))
        return looks

    return take


# The design needs 356 companies and declares five looks: the first at 72, since 71 x 5 / 356 < 1.
@pytest.mark.parametrize(
    ("counts", "is_over", "step"),
    [
        ((35, 36), False, None),
        ((36, 36), False, 1),
        ((90, 90), False, 2),
        ((178, 178), False, 5),
        ((300, 300), False, 5),
        ((15, 60), False, None),
        ((2, 3), True, 5),
    ],
)
def test_a_look_is_due_by_counts_and_by_time(design, counts, is_over, step):
    assert design.companies == 356
    assert due_step(design, counts, is_over, []) == step


def test_a_look_that_was_taken_is_not_taken_again(design, after):
    looks = after((40, 40, 0.4, 0.4))
    assert due_step(design, (40, 40), False, looks) is None
    assert due_step(design, (71, 72), False, looks) == 2
    assert due_step(design, (40, 40), True, looks) == 5


def test_an_effect_that_would_be_significant_alone_does_not_end_the_test_at_its_first_look(after):
    (look,) = after((40, 40, 0.3, 0.6))
    assert look.effect.p_value < 0.01
    assert (look.outcome, look.winner, look.p_value) == ("continue", None, None)
    assert look.interval[0] < 0 < look.interval[1]


@pytest.mark.parametrize(("rates", "winner"), [((0.2, 0.9), "b"), ((0.9, 0.2), "a")])
def test_a_large_effect_ends_it_at_once(design, after, rates, winner):
    (look,) = looks = after((40, 40, *rates))
    assert (look.outcome, look.winner, look.ends_the_test) == ("winner", winner, True)
    assert look.effect.p_value <= look.stop_at
    assert look.p_value == pytest.approx(look.effect.p_value)
    assert look.interval[0] * look.interval[1] > 0
    assert due_step(design, (178, 178), True, looks) is None


def test_at_the_end_without_significance_there_is_no_winner(after):
    look = after((40, 40, 0.4, 0.5), (80, 80, 0.4, 0.5), (178, 178, 0.4, 0.43), is_final=True)[-1]
    assert (look.outcome, look.winner, look.is_final) == ("no_difference", None, True)
    assert look.p_value > 0.05


def test_the_last_look_ends_as_the_whole_test_says_and_not_as_it_would_alone(after):
    look = after(
        (36, 36, 0.4, 0.4), (72, 72, 0.4, 0.4), (107, 107, 0.4, 0.4), (143, 143, 0.4, 0.4), (178, 178, 0.4, 0.506)
    )[-1]
    assert look.stop_at < look.effect.p_value < 0.05
    assert (look.outcome, look.p_value > 0.05) == ("no_difference", True)


def test_counts_that_are_no_chance_are_not_read_and_spend_nothing(design):
    look = take_look(design, outcomes(100, 44, 0.2, 0.9), 2)
    assert look.sample_ratio_p_value < 0.001
    assert (look.outcome, look.effect, look.winner, look.is_read) == ("sample_ratio_mismatch", None, None, False)
    assert due_step(design, (100, 44), False, [look]) is None
    assert due_step(design, (100, 90), False, [look]) == 2
    mended = take_look(design, outcomes(100, 90, 0.4, 0.4), 2, [look])
    assert mended.stop_at == take_look(design, outcomes(100, 90, 0.4, 0.4), 2).stop_at


def test_companies_without_a_case_do_not_count(design):
    look = take_look(design, outcomes(40, 40, 0.4, 0.4, idle=60), 1)
    assert look.counts == (40, 40)
    assert look.fraction == pytest.approx(80 / 356)


def test_a_test_that_nobody_joined_shows_nothing(design):
    look = take_look(design, outcomes(2, 3, 0.0, 1.0), 5)
    assert (look.outcome, look.effect, look.winner) == ("no_difference", None, None)
