"""Websites that do not take their callbacks, beside one that does."""

import itertools

from deadline import until
from history import IDLE, Callback
from soak import sized

RATE = 1200
# What a website does, and how often it is told: at most CALLBACK_MAX_ATTEMPTS times.
ATTEMPTS = {"/": 1, "/endless": 1, "/500": 2, "/429": 2, "/302": 2, "/410": 1, "/hang": 2, "/drip": 2, "/reset": 2}


def test_each_is_told_as_often_as_it_should_be_and_no_other_waits(rig):
    people = sized(8, 40)
    # So many crowds would keep each other from their answers if they asked as often as one.
    crowds = {path: rig.make_crowd(RATE, path, pause=sized(0.35, 2)) for path in ATTEMPTS}
    # Whoever is let in after a 410 is told to nobody, so that the judge does not see it.
    with crowds["/410"].history.outage("gone", IDLE):
        for crowd in crowds.values():
            crowd.come(people)
        for crowd in crowds.values():
            crowd.all_have("ready")
    until(lambda: len(crowds["/"].history.of(Callback)) == people, "the well-behaved is told", seconds=2)
    assert any(rig.installation.store.zcard(crowd.queue.key("outbox")) for crowd in crowds.values())
    for crowd in crowds.values():
        rig.finish(crowd)
    assert {path: crowd.history.verdict() for path, crowd in crowds.items()} == dict.fromkeys(ATTEMPTS, "")
    for path, expected in ATTEMPTS.items():
        attempts = {}
        for callback in crowds[path].history.of(Callback):
            attempts.setdefault(callback.id, []).append(callback.received)
        if path == "/410":
            # Who says so is told of nobody more.
            assert 0 < len(attempts) <= people
        else:
            assert len(attempts) == people
        assert {len(times) for times in attempts.values()} == {expected}, path
        if path == "/429":
            # It asked for 2 s.
            assert all(later - earlier >= 2 for times in attempts.values() for earlier, later in itertools.pairwise(times))
