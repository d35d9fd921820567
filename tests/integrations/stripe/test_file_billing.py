import json

import pytest

from integrations.stripe.meter_event_request import meter_event_body
from integrations.stripe.transports import FileBilling


def lines(folder):
    return [json.loads(line) for line in (folder / "meter_events.jsonl").read_text().splitlines()]


def test_the_file_holds_the_exact_bodies_one_per_line(tmp_path, event):
    billing = FileBilling(tmp_path / "outbox")
    states = [billing.deliver(event(seq)).state for seq in (1, 2)]
    assert states == ["dry_run", "dry_run"]
    assert lines(tmp_path / "outbox") == [meter_event_body(event(1)), meter_event_body(event(2))]


@pytest.mark.parametrize("is_new_process", [True, False])
def test_a_key_is_written_once(tmp_path, event, is_new_process):
    billing = FileBilling(tmp_path)
    billing.deliver(event())
    again = (FileBilling(tmp_path) if is_new_process else billing).deliver(event())
    assert (again.state, again.detail) == ("dry_run", "already there")
    assert len(lines(tmp_path)) == 1


def test_two_writers_see_what_the_other_wrote(tmp_path, event):
    one, other = FileBilling(tmp_path), FileBilling(tmp_path)
    for billing, seq in ((one, 1), (other, 1), (other, 2), (one, 2), (one, 3), (other, 3)):
        billing.deliver(event(seq))
    assert len(lines(tmp_path)) == 3


def test_a_file_cut_anywhere_ends_up_whole(tmp_path, event):
    path = tmp_path / "meter_events.jsonl"
    for seq in (1, 2):
        FileBilling(tmp_path).deliver(event(seq))
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        for seq in (1, 2):
            FileBilling(tmp_path).deliver(event(seq))
        assert path.read_bytes() == whole


def test_a_line_torn_under_a_running_writer_is_repaired(tmp_path, event):
    billing = FileBilling(tmp_path)
    billing.deliver(event(1))
    with (tmp_path / "meter_events.jsonl").open("a") as file:
        file.write('{"event_name":"usage_calls","identi')
    billing.deliver(event(2))
    assert lines(tmp_path) == [meter_event_body(event(1)), meter_event_body(event(2))]


def test_a_file_that_was_removed_is_begun_anew(tmp_path, event):
    billing = FileBilling(tmp_path)
    billing.deliver(event())
    (tmp_path / "meter_events.jsonl").unlink()
    billing.deliver(event())
    assert lines(tmp_path) == [meter_event_body(event())]


def test_a_foreign_file_is_not_touched(tmp_path, event):
    path = tmp_path / "meter_events.jsonl"
    path.write_text("shopping list\n")
    with pytest.raises(ValueError, match="a line is no meter event"):
        FileBilling(tmp_path).deliver(event())
    assert path.read_text() == "shopping list\n"


def test_an_event_that_stripe_would_refuse_is_not_written(tmp_path, event):
    with pytest.raises(ValueError, match="Stripe would refuse"):
        FileBilling(tmp_path).deliver(event(quantity=None))
    assert not (tmp_path / "meter_events.jsonl").exists()
