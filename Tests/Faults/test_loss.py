"""Redis that comes back empty, or behind: tickets and the programs' memory rebuild what was lost."""

import os
import time

import pytest

from deadline import until
from history import IDLE, OUTDATED, UNAVAILABLE, DeadLetter, History
from installation import LOCK_SECONDS, REBUILD_SECONDS, Installation
from rig import SEED, Rig, begin
from soak import LONG, sized
from throng import Throng

RATE = 1200


def test_everything_flushed_by_mistake(rig):
    """In mid-release, and after another worker has taken over: each remembers whom it has let in itself."""
    with rig.crowd(RATE) as crowd:
        for _ in range(sized(1, 3)):
            crowd.come(sized(110, 200))
            crowd.all_have("waiting")
            for worker in rig.chance.sample(rig.installation.workers, 2):
                with crowd.history.outage("a worker stopped", IDLE), worker.paused():
                    time.sleep(LOCK_SECONDS + 0.6)
            with crowd.history.outage("FLUSHALL", IDLE, OUTDATED, recovery=REBUILD_SECONDS + 2):
                rig.installation.store.flushall()
        crowd.all_have("ready", sized(30, 120))


def test_the_end_of_the_file_lost(rig):
    """What a power loss does with appendfsync everysec: the last second is gone."""
    installation = rig.installation
    with rig.crowd(RATE) as crowd:
        crowd.come(sized(40, 300))
        crowd.all_have("waiting")
        for _ in range(sized(1, 3)):
            kept = installation.append_only_file().stat().st_size
            crowd.come(sized(50, 200), seconds=0.8)
            time.sleep(1)
            with crowd.history.outage("the last second lost", UNAVAILABLE, IDLE, OUTDATED, recovery=REBUILD_SECONDS + 2):
                installation.server.kill()
                os.truncate(installation.append_only_file(), kept)
                installation.server.start()
                installation.answers()
        crowd.all_have("ready", sized(30, 120))


@pytest.fixture
def patient(tmp_path_factory):
    """An installation that waits for as long as fifty thousand need to ask once on a small machine, in a debug build."""
    yield from begin(Rig(Installation(tmp_path_factory.mktemp("installation"), workers=2, disk="1g", REBUILD_SECONDS="180"), SEED))


@pytest.mark.skipif(not LONG, reason="long form")
def test_fifty_thousand_flushed_in_mid_release(patient):
    rate = 60_000
    installation = patient.installation
    application = installation.make_application(callback_url=patient.receiver.address + "/")
    queue = installation.make_queue(application)
    history = patient.receiver.histories[queue.id] = History(rate)
    throng = Throng(patient.loop, history, queue, installation.ports, SEED, size=50_000)
    with history.outage("still closed", IDLE):
        throng.join()
        queue.set(max_users_per_minute=rate)
    time.sleep(3)
    with history.outage("FLUSHALL", IDLE, OUTDATED, recovery=190):
        installation.store.flushall()
        waiting = throng.poll()
    # Some had been let in without knowing it.
    assert 40_000 < waiting < 50_000
    until(lambda: time.sleep(5) or throng.poll() == 0, "everybody is let in", seconds=900)
    query = f"/callbacks?queue_id={queue.id}&limit=200&state="
    until(lambda: not installation.call("GET", query + "pending"), "every callback is delivered or given up", seconds=1800)
    throng.ask_again()
    throng.close()
    for letter in installation.call("GET", query + "dead"):
        history.add(DeadLetter(letter["entry_id"]))
    file = installation.folder / "history.jsonl"
    history.save(file)
    assert history.verdict() == "", f"history in {file}"
