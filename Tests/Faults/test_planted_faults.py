"""Each check of the history is shown to fail: on a real run in which the fault that it looks for is planted on purpose."""

import concurrent.futures
import itertools
import time

import pytest

from deadline import until
from history import Callback
from service import compact


class Plot:
    """A crowd that has its places, and a hand on its queue in Redis."""

    def __init__(self, rig, rate, count, path="/"):
        self.rig, self.store = rig, rig.installation.store
        self.crowd = rig.make_crowd(rate, path)
        self.crowd.come(count)
        self.crowd.all_have("waiting")
        self.entries = [compact(visitor.entry) for visitor in self.crowd.visitors]

    def key(self, name):
        return self.crowd.queue.key(name)

    def found(self):
        """The promises that the history shows to be broken."""
        self.rig.finish(self.crowd)
        return {violation.promise for violation in self.crowd.history.violations()}


def nothing(rig):
    """People go one by one, 200 ms apart; a worker that is late by some steps catches up."""
    plot = Plot(rig, 300, 20)
    plot.crowd.all_have("ready")
    found = plot.found()
    times = sorted({callback.entry: callback.released for callback in plot.crowd.history.of(Callback)}.values())
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) < 0.6 and sum(gap < 0.001 for gap in gaps) <= 4
    return found


def somebody_who_was_let_in_is_put_back(rig):
    plot = Plot(rig, 1200, 5)
    plot.crowd.all_have("ready")
    plot.store.hset(plot.key("entries"), plot.entries[0], f"{int(time.time() * 1000)} v0")
    plot.store.zadd(plot.key("waiting"), {plot.entries[0]: 1})
    until(lambda: plot.store.zcard(plot.key("waiting")) == 0, "v0 is let in again")
    return plot.found()


def the_bucket_is_filled_up_again_and_again(rig):
    plot = Plot(rig, 300, 40)
    rig.repeatedly(1.5, lambda: plot.store.hset(plot.key("bucket"), "tokens", 5))
    plot.crowd.all_have("ready")
    return plot.found()


def somebody_is_brought_to_the_front(rig):
    plot = Plot(rig, 300, 10)
    plot.crowd.come(1)
    plot.crowd.all_have("waiting")
    entry = compact(plot.crowd.visitors[-1].entry)
    plot.store.hset(plot.key("entries"), entry, f"{int(time.time() * 1000)} {plot.crowd.visitors[-1].name}")
    plot.store.zadd(plot.key("waiting"), {entry: 0.5})
    plot.crowd.all_have("ready")
    return plot.found()


def somebody_is_taken_out(rig):
    """Not by themselves: whoever is only forgotten comes back with their ticket."""
    plot = Plot(rig, 120, 10)
    rig.installation.call("POST", "/cancel", {"token": plot.crowd.visitors[9].token})
    return plot.found()


def a_callback_is_swallowed(rig):
    plot = Plot(rig, 1200, 5, path="/lie")
    plot.crowd.all_have("ready")
    return plot.found()


def strangers_are_put_in_front(rig):
    plot = Plot(rig, 120, 20)
    last = max(plot.crowd.visitors, key=lambda visitor: visitor.place)
    until(lambda: last.place < 20, "the line moves")
    plot.store.zadd(plot.key("waiting"), {f"stranger-{number:013}": number / 100 for number in range(20)})
    until(lambda: last.place > 20, "a place rises")
    return plot.found()


# By what was done to the queue: what must be found, and what may be found with it.
PLANTED = {
    nothing: (set(), set()),
    somebody_who_was_let_in_is_put_back: ({"I1"}, {"I3"}),
    the_bucket_is_filled_up_again_and_again: ({"I2"}, set()),
    somebody_is_brought_to_the_front: ({"I3"}, {"I7"}),
    somebody_is_taken_out: ({"I4"}, {"I3", "I7"}),
    a_callback_is_swallowed: ({"I5"}, set()),
    strangers_are_put_in_front: ({"I7"}, {"I8"}),
}


@pytest.fixture(scope="module")
def findings(running):
    """All of them at once: each has a queue of its own."""
    with concurrent.futures.ThreadPoolExecutor(len(PLANTED)) as pool:
        return {plant: pool.submit(plant, running) for plant in PLANTED}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_was_planted_is_found(findings, plant):
    expected, allowed = PLANTED[plant]
    found = findings[plant].result()
    assert expected <= found <= expected | allowed


def test_redis_and_workers_that_stand_still_unannounced_are_found(rig):
    plot = Plot(rig, 1200, 70)
    for worker in rig.installation.workers:
        worker.pause()
    with rig.installation.server.paused():
        time.sleep(1.8)
    time.sleep(0.9)
    for worker in rig.installation.workers:
        worker.go_on()
    plot.crowd.all_have("ready")
    assert plot.found() == {"I8", "answers"}
