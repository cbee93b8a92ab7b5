"""What the clients of one queue and the receiver of its callbacks saw, and the judgement of it: nothing else is asked, no key of Redis is read.

Times are seconds of this machine's monotonic clock. `released` is Redis's own, whole milliseconds, brought onto that clock.
"""

import bisect
import contextlib
import datetime
import itertools
import json
import threading
import time
from typing import NamedTuple

# What a declared outage may excuse: a 503 with Retry-After, no answer at all (and a late one), nobody let in; and after a loss of data, until
# it is found out, that a visitor is shown how things stood before.
UNAVAILABLE, SILENT, IDLE, OUTDATED = "unavailable", "silent", "idle", "outdated"

ANSWER_SECONDS = 2.0
# Many tests share a machine.
ANSWER_GRACE = 0.5
# A queue that was empty is looked at within half a second.
WAKING_SECONDS = 1.0


class Answer(NamedTuple):
    """One request of a visitor. A `status` of 0 means no answer; entry, state and place are those of a 200."""

    visitor: str
    request: str
    sent: float
    got: float
    status: int
    entry: str = ""
    state: str = ""
    place: int = 0
    retry_after: str = ""
    trouble: str = ""


class Callback(NamedTuple):
    """One attempt to deliver a callback, and what it was answered (0: nothing)."""

    received: float
    id: str
    entry: str
    visitor: str
    released: float
    status: int


class Left(NamedTuple):
    """A visitor wants no more: cancelled, or asks no longer."""

    visitor: str
    at: float


class DeadLetter(NamedTuple):
    """A callback that the service reports as given up."""

    entry: str


class Outage(NamedTuple):
    """A time for which the test itself announces trouble, what that excuses, and until when: some recovery is allowed."""

    name: str
    began: float
    ended: float
    recovered: float
    excuses: tuple


class Step(NamedTuple):
    """Redis's clock was set, to be so many seconds ahead of the time of day."""

    at: float
    ahead: float


class Stall(NamedTuple):
    """A time in which the recording itself was not given the processor, so that nothing that took time can be held against the service."""

    began: float
    ended: float


class Violation(NamedTuple):
    promise: str
    at: float
    what: str


class History:
    """Append-only; recorded from several threads."""

    def __init__(self, rate, records=()):
        """`rate`: people a minute that the queue lets in at most."""
        self.rate = rate
        self.records = list(records)
        self.clocks = [0]  # how far ahead the service's clock has been; looking for its steps in all records takes long
        self.wall = time.time() - time.monotonic()
        self.lock = threading.Lock()

    def add(self, record):
        with self.lock:
            self.records.append(record)

    def moment(self, text):
        """A time of the service, such as `2026-11-21T02:05:16.133Z`, on the clock of this history."""
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() - self.wall
        # By which of its clocks that was: a callback comes soon after the release, for the first time at least.
        now = time.monotonic()
        return min((moment - ahead for ahead in self.clocks), key=lambda time: abs(now - time))

    def step(self, ahead):
        self.clocks.append(ahead)
        self.add(Step(time.monotonic(), ahead))

    @contextlib.contextmanager
    def outage(self, name, *excuses, recovery=2.0):
        """Announces trouble for the time of the block and `recovery` seconds after it."""
        began = time.monotonic()
        try:
            yield
        finally:
            ended = time.monotonic()
            self.add(Outage(name, began, ended, ended + recovery, excuses))

    def of(self, kind):
        with self.lock:
            return [record for record in self.records if isinstance(record, kind)]

    def save(self, file):
        """One JSON line a record, its kind first."""
        with self.lock:
            lines = [json.dumps([type(record).__name__, *record]) for record in self.records]
        file.write_text("\n".join([json.dumps(["History", self.rate]), *lines, ""]))

    @classmethod
    def load(cls, file):
        kinds = {kind.__name__: kind for kind in (Answer, Callback, Left, DeadLetter, Outage, Step, Stall)}
        (_, rate), *lines = map(json.loads, file.read_text().splitlines())
        return cls(rate, [kinds[name](*fields) for name, *fields in lines])

    def violations(self):
        """All that the promises forbid, by promise."""
        judge = Judge(self)
        return [
            Violation(promise, at, what)
            for promise, check in Judge.checks.items()
            for at, what in itertools.islice(check(judge), 5)
        ]

    def verdict(self):
        """The violations in words, each with the trouble announced last before it; empty when there is none."""
        start = min((answer.sent for answer in self.of(Answer)), default=0)
        lines = []
        for promise, at, what in self.violations():
            before = [outage for outage in self.of(Outage) if outage.began <= at]
            when = f"after \"{max(before, key=lambda outage: outage.began).name}\"" if before else "before any trouble"
            lines.append(f"{promise}: {what} (at {at - start:.2f} s, {when})")
        return "\n".join(lines)


class Judge:
    """The history by visitor and entry, and one check for each promise, which tells when it was broken and how."""

    def __init__(self, history):
        self.rate = history.rate
        self.answers = sorted(history.of(Answer), key=lambda answer: answer.got)
        self.callbacks = sorted(history.of(Callback), key=lambda callback: callback.received)
        self.outages = history.of(Outage)
        self.stalls = history.of(Stall)
        self.steps = history.of(Step)
        self.dead = {letter.entry for letter in history.of(DeadLetter)}
        self.left = {left.visitor: left.at for left in reversed(history.of(Left))}
        self.by_visitor = group(self.answers, lambda answer: answer.visitor)
        self.by_entry = group(self.callbacks, lambda callback: callback.entry)
        # When each entry was let in, for the first time if there are several.
        self.released = {entry: min(one.released for one in callbacks) for entry, callbacks in self.by_entry.items()}
        # The first answer that gave each visitor a place.
        self.joined = {}
        for answer in self.answers:
            if answer.request == "join" and answer.status == 200:
                self.joined.setdefault(answer.visitor, answer)

    def excused(self, answer, excuse):
        return any(excuse in one.excuses and one.began <= answer.got and answer.sent <= one.recovered for one in self.outages)

    def stalled(self, began, ended):
        """Seconds of a span that are nobody's fault."""
        return sum(max(0, min(ended, stall.ended) - max(began, stall.began)) for stall in self.stalls)

    def waited_until(self, visitor):
        """Until when a visitor with a place certainly waited: until let in, else until the last answer that said so."""
        entry = self.joined[visitor].entry
        if entry in self.released:
            return self.released[entry]
        return max(answer.sent for answer in self.by_visitor[visitor] if answer.state == "waiting" or answer is self.joined[visitor])

    def doubles(self):
        """I1: nobody is let in twice."""
        for entry, callbacks in self.by_entry.items():
            times = sorted({callback.released for callback in callbacks})
            if len(times) > 1:
                yield times[1], f"{callbacks[0].visitor} ({entry}) was let in {len(times)} times, {times[-1] - times[0]:.3f} s apart"
        for visitor, callbacks in group(self.callbacks, lambda callback: callback.visitor).items():
            entries = sorted({(self.released[callback.entry], callback.entry) for callback in callbacks})
            for (released, first), (later, second) in itertools.pairwise(entries):
                # Asking to join again after having been let in, perhaps without knowing it, takes a new place.
                again = any(answer.request == "join" and answer.got >= released for answer in self.by_visitor.get(visitor, []))
                if not again:
                    yield later, f"{visitor} was let in as {first} and, without having joined again, as {second}"
        for visitor, answers in self.by_visitor.items():
            ready = {}
            for answer in answers:
                if answer.state == "ready":
                    ready.setdefault(answer.entry, answer.got)
                elif answer.state == "waiting":
                    since = min(ready.get(answer.entry, answer.sent), self.called_back(answer.entry))
                    if since < answer.sent and not self.excused(answer, OUTDATED):
                        yield answer.sent, f"{visitor} ({answer.entry}) waits again {answer.sent - since:.3f} s after having been let in"
                        break

    def called_back(self, entry):
        return self.by_entry[entry][0].received if entry in self.by_entry else float("inf")

    def rate_kept(self):
        """I2: in any window w at most rate · w + one second's worth, at least 1, are let in; a step forward of Redis's clock may add one more."""
        per_second = self.rate / 60
        ahead = [0, *(step.ahead for step in self.steps)]
        burst = max(1, per_second) * (1 + sum(later > earlier for earlier, later in itertools.pairwise(ahead)))
        times = sorted({(callback.released, callback.entry) for callback in self.callbacks})
        # The fullest window that ends at each release: its first release is the one that has the least (index - rate · time) before it.
        best, start, excess_most, worst = float("inf"), 0, 1e-6, None
        for index, (released, _) in enumerate(times):
            lead = index - per_second * released
            if lead < best:
                best, start = lead, index
            # Times are whole milliseconds: a window may be up to one longer than it looks.
            excess = lead + 1 - best - burst - 0.001 * per_second
            if excess > excess_most:
                window = released - times[start][0]
                worst = released, f"{index - start + 1} were let in within {window:.3f} s, {excess:.2f} over {self.rate} a minute + {burst:g}"
                excess_most = excess
        if worst:
            yield worst

    def order(self):
        """I3: nobody is let in before somebody who has a place since before they asked for theirs, and still waits."""
        earlier = sorted((answer.got, visitor) for visitor, answer in self.joined.items())
        asked = {}
        for answer in self.answers:
            if answer.request == "join":
                asked[answer.visitor] = min(answer.sent, asked.get(answer.visitor, answer.sent))
        longest, who, index = -float("inf"), None, 0
        # The last ones in line so far, by how long they waited: one sweep over both orders.
        for sent, visitor in sorted((sent, visitor) for visitor, sent in asked.items()):
            while index < len(earlier) and earlier[index][0] < sent:
                name = earlier[index][1]
                index += 1
                until = self.waited_until(name)
                # Whose end is not known by Redis's clock: the two clocks may drift apart a little.
                until = until if self.joined[name].entry in self.released else until - 0.1
                if until > longest:
                    longest, who = until, name
            entry = self.joined[visitor].entry if visitor in self.joined else None
            if entry in self.released and self.released[entry] < longest:
                yield self.released[entry], f"{visitor} passed {who}, who waited {longest - self.released[entry]:.3f} s longer and had joined before"

    def losses(self):
        """I4: who has a place keeps it until let in or gone."""
        over = max((outage.ended for outage in self.outages), default=0)
        for visitor, joined in self.joined.items():
            end = self.left.get(visitor, float("inf"))
            answers = [answer for answer in self.by_visitor[visitor] if answer.sent < end and answer.got > joined.got]
            polls = [answer for answer in answers if answer.request == "poll"]
            for answer in polls:
                if answer.status == 404:
                    yield answer.sent, f"{visitor} ({joined.entry}) is not known any more"
                elif answer.status == 200 and answer.state not in ("waiting", "ready"):
                    yield answer.sent, f"{visitor} ({joined.entry}) neither waits nor was let in, but is {answer.state}"
                elif answer.status == 200 and answer.entry != joined.entry:
                    yield answer.sent, f"{visitor} has become another: {joined.entry}, then {answer.entry}"
                else:
                    continue
                break
            else:
                if end == float("inf") and not any(answer.status == 200 and answer.got > over for answer in polls):
                    yield over, f"{visitor} ({joined.entry}) had no answer after the trouble was over"

    def callbacks_owed(self):
        """I5: whoever was let in is told of to the site, always under the same id, or the operator is told that this was given up."""
        let_in = {answer.entry: (answer.got, answer.visitor) for answer in reversed(self.answers) if answer.state == "ready"}
        let_in |= {entry: (callbacks[0].received, callbacks[0].visitor) for entry, callbacks in self.by_entry.items()}
        for entry, (at, visitor) in let_in.items():
            callbacks = self.by_entry.get(entry, [])
            if entry not in self.dead and not any(200 <= callback.status < 300 for callback in callbacks):
                yield at, f"{visitor} ({entry}) was let in, but the site does not know"
            if len(ids := {callback.id for callback in callbacks}) > 1:
                yield callbacks[-1].received, f"{entry} was told of under {len(ids)} ids"
        for identifier, callbacks in group(self.callbacks, lambda callback: callback.id).items():
            if len({callback.entry for callback in callbacks}) > 1:
                yield callbacks[-1].received, f"{identifier} tells of several entries"

    def places(self):
        """I7: a place shown never rises for one who keeps asking."""
        for visitor, answers in self.by_visitor.items():
            shown = [answer for answer in answers if answer.state == "waiting" and answer.sent < self.left.get(visitor, float("inf"))]
            for before, after in itertools.pairwise(shown):
                if before.entry == after.entry and after.place > before.place and not self.excused(after, OUTDATED):
                    yield after.sent, f"{visitor} had place {before.place} and then {after.place}"
                    break

    def liveness(self):
        """I8: while people wait and a worker lives, at least 99 % of the rate is used."""
        times = sorted(self.released.values())
        per_second = self.rate / 60
        spans = [(answer.got, self.waited_until(visitor)) for visitor, answer in self.joined.items()]
        idle = [(one.began, one.recovered) for one in self.outages if IDLE in one.excuses]
        for began, ended in without(union(spans), union(idle)):
            began += WAKING_SECONDS
            if ended <= began:
                continue
            released = bisect.bisect_right(times, ended) - bisect.bisect_left(times, began)
            # A token may be on its way at either end; a machine that is busy with tests may hold one step up for a moment.
            due = 0.99 * per_second * (ended - began - self.stalled(began, ended)) - 1 - per_second / 4
            if released < due:
                yield began, f"{released} were let in within {ended - began:.1f} s in which somebody waited; {due:.0f} were due"

    def truthful(self):
        """Answers: within two seconds; errors only while the store is away, and then 503 with Retry-After."""
        for answer in self.answers:
            took = answer.got - answer.sent - self.stalled(answer.sent, answer.got)
            if answer.status == 0 and not self.excused(answer, SILENT):
                yield answer.sent, f"{answer.visitor} got no answer to a {answer.request}: {answer.trouble}"
            elif answer.status == 503 and not answer.retry_after:
                yield answer.sent, f"a 503 without Retry-After: {answer.trouble}"
            elif answer.status == 503 and not self.excused(answer, UNAVAILABLE):
                yield answer.sent, f"{answer.visitor} got a 503 to a {answer.request} though nothing was away"
            elif answer.status not in (0, 200, 204, 503) and (answer.request, answer.status) != ("poll", 404):
                yield answer.sent, f"{answer.visitor} got {answer.status} to a {answer.request}: {answer.trouble}"
            elif took > ANSWER_SECONDS + ANSWER_GRACE and not self.excused(answer, SILENT):
                yield answer.sent, f"{answer.visitor} waited {took:.2f} s for the answer to a {answer.request} ({answer.status})"

    checks = {
        "I1": doubles,
        "I2": rate_kept,
        "I3": order,
        "I4": losses,
        "I5": callbacks_owed,
        "I7": places,
        "I8": liveness,
        "answers": truthful,
    }


def group(records, key):
    groups = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups


def union(spans):
    """Spans of time without overlaps, in order."""
    merged = []
    for began, ended in sorted(span for span in spans if span[0] < span[1]):
        if merged and began <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(ended, merged[-1][1]))
        else:
            merged.append((began, ended))
    return merged


def without(spans, holes):
    """What is left of `spans` outside of `holes`; both as `union` gives them."""
    for began, ended in spans:
        for hole_began, hole_ended in holes:
            if hole_ended <= began or ended <= hole_began:
                continue
            if began < hole_began:
                yield began, hole_began
            began = max(began, hole_ended)
        if began < ended:
            yield began, ended
