"""How much dirt there is, and where."""

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.synthetic import DEFAULT_PLAN_KEYS, Dirt, write_world
from ml.synthetic.appointments import simulate_appointments
from ml.synthetic.calls import simulate_calls
from ml.synthetic.companies import make_companies
from ml.synthetic.dirt import REASONS, break_lines, reasons_for
from ml.synthetic.events import Window
from ml.synthetic.lines import LineFormatter

CLEAN = Dirt(**dict.fromkeys(("resend", "late", *REASONS), 0.0), conflicts=0)


@pytest.fixture(scope="module")
def usage():
    """(events, lines) of one practice in ten days."""
    practice = make_companies(1, 10, date(2026, 10, 1), 7, DEFAULT_PLAN_KEYS)[0]
    window, rng = Window(date(2026, 10, 1), 10), np.random.default_rng(1)
    calls = simulate_calls(practice, 50, window, rng)
    events = np.concatenate([calls, simulate_appointments(practice, calls, window, rng)])
    return events, LineFormatter([practice]).lines(events)


def test_the_default_dirt_comes_at_its_rates(world):
    summary, dirt = world.summary, Dirt()
    assert summary.duplicates / summary.unique_valid == pytest.approx(dirt.resend, rel=0.15)
    assert summary.late / summary.unique_valid == pytest.approx(dirt.late, rel=0.15)
    assert summary.rejected["conflict"] == dirt.conflicts
    broken = sum(summary.rejected.values()) - dirt.conflicts
    assert broken / summary.unique_valid == pytest.approx(sum(dirt.rates), rel=0.25)


@pytest.mark.parametrize("name", ["world", "small_world"])
def test_no_file_but_the_held_one_has_half_a_percent_rejected(name, request):
    summary = request.getfixturevalue(name).summary
    shares = [sum(file.rejected.values()) / file.lines for file in summary.files if file != summary.held]
    assert max(shares) <= Dirt().rejected_cap


def test_some_resends_come_in_the_file_of_the_original_and_some_on_a_later_day(world):
    home, same, later = {}, 0, 0
    for _, arrival, event, fate in world.fates:
        if fate == "valid":
            home[event["source"], event["id"]] = arrival
        elif fate == "duplicate":
            is_same = home[event["source"], event["id"]] == arrival
            same, later = same + is_same, later + (not is_same)
    assert min(same, later) > 0.3 * (same + later)


def test_a_conflict_differs_in_the_duration_alone(world):
    first = {}
    conflicts = []
    for _, _, event, fate in world.fates:
        if fate == "valid":
            first[event["source"], event["id"]] = event
        elif fate == "conflict":
            conflicts.append((first[event["source"], event["id"]], event))
    for original, other in conflicts:
        duration = original["data"]["duration_seconds"]
        assert other["data"]["duration_seconds"] != duration
        assert other | {"data": other["data"] | {"duration_seconds": duration}} == original


@pytest.mark.parametrize("reason", [*REASONS, "resend", "late"])
def test_each_kind_of_dirt_can_be_had_alone(tmp_path, reason):
    dirt = Dirt(**(vars(CLEAN) | {reason: 0.05, "rejected_cap": 1.0}))
    summary = write_world(tmp_path, companies=6, days=5, events=1500, dirt=dirt)
    found = summary.rejected | {"resend": summary.duplicates, "late": summary.late}
    assert found.pop(reason) > 0
    assert not any(found.values())


def test_a_clean_world_has_no_dirt(tmp_path):
    summary = write_world(tmp_path, companies=6, days=5, events=1500, dirt=CLEAN)
    assert summary.events_read == summary.unique_valid
    assert summary.late == 0


@given(lines=st.integers(0, 5000), conflicts=st.integers(0, 9), cap=st.floats(0, 1), seed=st.integers(0, 99))
def test_broken_lines_and_conflicts_stay_below_the_cap(lines, conflicts, cap, seed):
    dirt = Dirt(malformed_json=0.5, missing_field=0.5, rejected_cap=cap)
    reasons = reasons_for(lines, conflicts, dirt, np.random.default_rng(seed))
    assert not reasons or len(reasons) + conflicts <= cap * lines


@pytest.mark.parametrize("field", ["resend", "late", "naive_time", "rejected_cap"])
def test_a_share_above_one_is_refused(field):
    with pytest.raises(ValueError, match=f"out of range in {field}"):
        Dirt(**{field: 1.5})


def test_a_negative_number_of_conflicts_is_refused():
    with pytest.raises(ValueError, match="out of range in conflicts"):
        Dirt(conflicts=-1)


@pytest.mark.parametrize("reason", sorted(set(REASONS) - {"malformed_json"}))
@given(seed=st.integers(0, 500))
def test_a_broken_line_has_one_fault_and_an_id_of_its_own(usage, reason, seed):
    events, lines = usage
    (broken,), used = break_lines(lines, events, [reason], np.random.default_rng(seed))
    assert used == [reason]
    event = json.loads(broken)
    assert event["id"].endswith("x")
    assert event["id"] not in {json.loads(line)["id"] for line in lines[:50]}
    original = next(json.loads(line) for line in lines if f'"id":"{event["id"].split("-")[0]}"' in line)
    changed = {key for key in original if event.get(key) != original[key]} - {"id"}
    assert len(changed - {"source"}) == 1


@given(seed=st.integers(0, 500))
def test_a_malformed_line_is_never_json(usage, seed):
    events, lines = usage
    (broken,), _ = break_lines(lines, events, ["malformed_json"], np.random.default_rng(seed))
    assert broken.strip()
    with pytest.raises(ValueError, match=r"."):
        json.loads(broken)


def test_a_reason_without_a_suitable_line_becomes_a_malformed_line(usage):
    events, lines = usage
    appointments = np.flatnonzero(events["kind"] == 1)
    rows = [lines[row] for row in appointments]
    _, used = break_lines(rows, events[appointments], ["negative_duration"], np.random.default_rng(1))
    assert used == ["malformed_json"]
