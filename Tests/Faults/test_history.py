"""Every check of the history, on small ones made by hand: it is silent where all is well, and speaks up where it is not."""

import pytest

from history import IDLE, OUTDATED, SILENT, UNAVAILABLE, Answer, Callback, DeadLetter, History, Left, Outage, Stall, Step


def join(visitor, sent, place=1, entry=None):
    return Answer(visitor, "join", sent, sent + 0.01, 200, entry or f"e-{visitor}", "waiting", place)


def poll(visitor, sent, state="ready", place=0, status=200, took=0.01, **more):
    return Answer(visitor, "poll", sent, sent + took, status, f"e-{visitor}" if status == 200 else "", state, place, **more)


def called(visitor, released, entry=None, status=200, id=None, late=0.05):
    entry = entry or f"e-{visitor}"
    return Callback(released + late, id or f"msg-{entry}", entry, visitor, released, status)


def found(*records, rate=60):
    return {violation.promise for violation in History(rate, records).violations()}


ALL_WELL = [
    join("a", 0), join("b", 0.1, place=2), join("c", 0.2, place=3),
    poll("c", 1, "waiting", 3), called("a", 1), poll("c", 1.5, "waiting", 2), called("b", 2), called("c", 3),
    poll("a", 4), poll("b", 4), poll("c", 4),
]  # fmt: skip


def test_all_is_well():
    assert found(*ALL_WELL) == set()


def test_it_can_be_kept(tmp_path):
    file = tmp_path / "history.jsonl"
    history = History(60, [*ALL_WELL, Left("a", 5), DeadLetter("e-b"), Outage("o", 1, 2, 3, (IDLE,))])
    history.save(file)
    again = History.load(file)
    assert again.rate == history.rate
    assert [type(record) for record in again.records] == [type(record) for record in history.records]
    assert again.violations() == history.violations() == []


def test_it_tells_which_trouble_was_the_last_before():
    history = History(60, [*ALL_WELL, Outage("first", 1, 2, 3, ()), Outage("second", 4.5, 5, 6, ()), called("a", 4)])
    history.add(poll("b", 9))
    assert "let in 2 times, 3.000 s apart (at 4.00 s, after \"first\")" in history.verdict()


def test_let_in_at_two_times():
    assert "I1" in found(*ALL_WELL, called("a", 9))


def test_a_callback_sent_twice_is_no_double():
    assert found(*ALL_WELL, called("a", 1, late=0.5)) == set()


def test_two_entries_of_one_who_joined_once():
    assert "I1" in found(*ALL_WELL, called("a", 9, entry="e-other"))


def test_joining_again_after_having_been_let_in_is_no_double():
    unanswered = Answer("a", "join", 0, 1.5, 0)
    assert found(
        unanswered, called("a", 1, entry="e-lost"), join("a", 1.6), called("a", 2), poll("a", 4),
        Outage("reply swallowed", 0, 1.6, 1.6, (SILENT,)),
    ) == set()  # fmt: skip


@pytest.mark.parametrize("before", [poll("a", 4), called("a", 1)])
def test_waiting_again_after_having_been_let_in(before):
    assert "I1" in found(*ALL_WELL, before, poll("a", 5, "waiting", 1))


def test_more_than_the_rate():
    crowd = [join(f"v{number}", number / 100, number) for number in range(5)]
    in_time = [called(f"v{number}", 1 + number) for number in range(5)]
    seen = [poll(f"v{number}", 9) for number in range(5)]
    assert found(*crowd, *in_time, *seen) == set()
    in_time[3] = called("v3", 3.5)
    assert found(*crowd, *in_time, *seen) == {"I2"}


def test_a_burst_of_one_second_is_allowed():
    crowd = [join(f"v{number}", 0) for number in range(11)]
    seen = [poll(f"v{number}", 9) for number in range(11)]
    at_once = [called(f"v{number}", 1) for number in range(10)]
    assert found(*crowd, *seen, *at_once, called("v10", 1.1), rate=600) == set()
    assert found(*crowd, *seen, *at_once, called("v10", 1.05), rate=600) == {"I2"}


def test_a_step_forward_of_the_clock_may_add_a_burst():
    crowd = [join(f"v{number}", 0) for number in range(21)]
    seen = [poll(f"v{number}", 9) for number in range(21)]
    at_once = [called(f"v{number}", 1) for number in range(20)]
    forth, back = Step(1, 3600), Step(2, 0)
    assert found(*crowd, *seen, *at_once, called("v20", 1.1), rate=600) == {"I2"}
    assert found(*crowd, *seen, *at_once, called("v20", 1.1), forth, back, rate=600) == set()
    assert found(*crowd, *seen, *at_once, called("v20", 1.05), forth, back, rate=600) == {"I2"}


def test_passing_somebody():
    assert found(join("a", 0), join("b", 1), called("b", 2), called("a", 3), poll("a", 4), poll("b", 4)) == {"I3"}


def test_passing_somebody_who_waits_at_the_end():
    assert "I3" in found(join("a", 0), join("b", 1), called("b", 2), poll("b", 4), poll("a", 4, "waiting", 1))


def test_those_who_ask_at_once_may_go_in_any_order():
    assert found(join("a", 0), join("b", 0.005), called("b", 2), called("a", 3), poll("a", 4), poll("b", 4)) == set()


def test_passing_somebody_who_has_left():
    assert found(
        join("a", 0), join("b", 1), poll("a", 1.5, "waiting"), Left("a", 2), poll("a", 2.2, "rejected"), called("b", 3), poll("b", 4)
    ) == set()  # fmt: skip


@pytest.mark.parametrize(
    "end", [poll("a", 3, "", status=404), poll("a", 3, "expired"), poll("a", 3, "rejected"), Answer("a", "poll", 3, 3.1, 200, "e-x", "waiting", 1)]
)
def test_a_place_lost(end):
    assert "I4" in found(join("a", 0), end)


def test_a_place_of_which_nothing_is_known_in_the_end():
    assert "I4" in found(join("a", 0), poll("a", 1, "waiting", 1), Outage("o", 2, 3, 4, ()))


def test_let_in_and_the_site_is_not_told():
    assert found(join("a", 0), poll("a", 4)) == {"I5"}
    assert "I5" in found(join("a", 0), poll("a", 4), called("a", 1, status=500))
    assert found(join("a", 0), poll("a", 4), called("a", 1, status=500), DeadLetter("e-a")) == set()


def test_one_release_told_of_under_two_ids():
    assert found(*ALL_WELL, called("a", 1, id="msg-other")) == {"I5"}


def test_a_place_that_rises():
    assert found(join("a", 0, 5), poll("a", 0.5, "waiting", 4), poll("a", 0.8, "waiting", 5), called("a", 1), poll("a", 4)) == {"I7"}


def test_what_is_shown_after_a_loss_may_be_outdated():
    loss = Outage("loss", 0.6, 0.7, 2, (OUTDATED,))
    shown = [join("a", 0, 2), poll("a", 0.5, "waiting", 1), poll("a", 0.9, "waiting", 2), called("a", 1), poll("a", 1.5, "waiting", 1)]
    assert found(*shown, poll("a", 4)) == {"I1", "I7"}
    assert found(*shown, poll("a", 4), loss) == set()
    assert found(*shown, poll("a", 3, "waiting", 1), poll("a", 4), loss) == {"I1"}


def test_a_rate_that_is_not_used():
    crowd = [join(f"v{number}", 0) for number in range(30)]
    slow = [called(f"v{number}", 1 + number / 2) for number in range(30)]
    seen = [poll(f"v{number}", 40) for number in range(30)]
    assert found(*crowd, *slow, *seen, rate=240) == {"I8"}
    assert found(*crowd, *slow, *seen, Outage("o", 1, 15, 16, (IDLE,)), rate=240) == set()


def answered(status, *more, took=0.01, **fields):
    end = [poll(visitor, 9) for visitor in "abc"]
    return found(*ALL_WELL, poll("c", 5, "", status=status, took=took, **fields), *end, *more)


def test_answers_of_a_store_that_is_away():
    away = Outage("o", 4.5, 5.5, 6, (UNAVAILABLE,))
    assert answered(503, away, retry_after="2") == set()
    assert answered(503, retry_after="2") == {"answers"}
    assert answered(503, away) == {"answers"}


def test_no_answer():
    assert answered(0, Outage("o", 4.5, 5.5, 6, (SILENT,))) == set()
    assert answered(0) == {"answers"}


@pytest.mark.parametrize("status", [500, 502, 429])
def test_wrong_answers(status):
    assert answered(status, Outage("o", 4.5, 5.5, 6, (UNAVAILABLE, SILENT))) == {"answers"}


def test_a_late_answer():
    assert found(*ALL_WELL, poll("c", 5, took=1.9)) == set()
    assert found(*ALL_WELL, poll("c", 5, took=2.6)) == {"answers"}


def test_what_the_recording_slept_through_is_nobodys_fault():
    assert found(*ALL_WELL, poll("c", 5, took=2.6), Stall(5.5, 6)) == set()
