"""An installation, the website that it calls, and crowds whose histories are judged."""

import collections
import contextlib
import os
import random
import secrets
import time

from crowd import Crowd
from deadline import until
from history import Answer, Callback, DeadLetter, History, Outage
from loop import Loop
from receiver import Receiver


# What was judged in this run of the tests.
judged = collections.Counter()

SEED = os.environ.get("FAULT_SEED") or secrets.token_hex(4)


class Rig:
    def __init__(self, installation, seed):
        self.installation, self.seed = installation, seed
        self.chance = random.Random(seed)
        self.loop = Loop()
        self.receiver = Receiver(self.loop)
        self.applications = {}
        self.count = 0

    def start(self):
        self.installation.start()

    def stop(self):
        self.installation.stop()
        self.loop.stop()

    def make_crowd(self, rate, path="/", pause=0.35, ports=None, **settings):
        """A crowd for a queue of its own, whose callbacks go to `path` of the receiver."""
        if path not in self.applications:
            self.applications[path] = self.installation.make_application(callback_url=self.receiver.address + path)
        queue = self.installation.make_queue(self.applications[path], max_users_per_minute=rate, **settings)
        history = self.receiver.histories[queue.id] = History(rate)
        self.count += 1
        return Crowd(self.loop, history, queue, ports or self.installation.ports, f"{self.seed} {self.count}", pause)

    @contextlib.contextmanager
    def crowd(self, rate, path="/", pause=0.35, ports=None, **settings):
        """The history of this crowd is judged at the end of the block."""
        crowd = self.make_crowd(rate, path, pause, ports, **settings)
        try:
            yield crowd
        except BaseException:
            self.save(crowd)
            raise
        self.finish(crowd)
        judged.update(
            visitors=len(crowd.visitors), answers=len(crowd.history.of(Answer)), callbacks=len(crowd.history.of(Callback)),
            outages=len(crowd.history.of(Outage)))
        if verdict := crowd.history.verdict():
            raise AssertionError(f"{verdict}\n(seed {self.seed}; history in {self.save(crowd)})")

    def finish(self, crowd):
        """Everybody's last answer, and every callback's end. The history is complete then."""
        crowd.close()
        query = f"/callbacks?queue_id={crowd.queue.id}&limit=200&state="
        until(lambda: not self.installation.call("GET", query + "pending"), "every callback is delivered or given up", seconds=60)
        for letter in self.installation.call("GET", query + "dead"):
            crowd.history.add(DeadLetter(letter["entry_id"]))

    def save(self, crowd):
        file = self.installation.folder / f"history-{crowd.queue.id}.jsonl"
        crowd.history.save(file)
        return file

    def repeatedly(self, seconds, step, pause=0.05):
        """Does one thing over and over for some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            step()
            time.sleep(pause)


def begin(rig):
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()
