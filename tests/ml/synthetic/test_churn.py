import numpy as np
import pytest

from ml.synthetic.churn import simulate_histories


@pytest.fixture(scope="module")
def histories():
    return simulate_histories(companies=400, days=300, seed=5)


def test_nobody_is_used_before_the_start_or_after_the_end(histories):
    day = np.arange(300)
    outside = (day < histories.starts[:, None]) | (day >= histories.ends[:, None])
    assert histories.counts[outside].sum() == 0
    assert (histories.ends - histories.starts >= 20).all()


def test_about_half_end_and_most_of_them_fade(histories):
    ended = histories.ends < 300
    assert 0.35 < ended.mean() < 0.65
    chosen = ended & (histories.ends - histories.starts > 150)
    fades = [
        histories.counts[row, end - 14 : end].mean() < 0.4 * histories.counts[row, end - 120 : end - 80].mean()
        for row, end in enumerate(histories.ends.tolist())
        if chosen[row]
    ]
    assert 0.5 < np.mean(fades) < 0.95


def test_some_who_stay_were_silent_for_weeks(histories):
    stays = histories.counts[(histories.ends == 300) & (histories.starts == 0)]
    busy = stays[stays.mean(axis=1) > 5]
    weekly = busy[:, :294].reshape(len(busy), 42, 7).sum(axis=2)
    silent = ((weekly[:, :-1] == 0) & (weekly[:, 1:] == 0)).any(axis=1)
    assert 0.02 < silent.mean() < 0.5


def test_the_same_seed_gives_the_same_companies(histories):
    again = simulate_histories(companies=400, days=300, seed=5)
    assert np.array_equal(again.counts, histories.counts)
    assert not np.array_equal(simulate_histories(companies=400, days=300, seed=6).counts, histories.counts)


def test_too_few_days_are_refused():
    with pytest.raises(ValueError, match="59 days"):
        simulate_histories(companies=1, days=59, seed=1)
