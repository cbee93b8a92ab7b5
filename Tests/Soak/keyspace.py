"""What Redis keeps, held against the table of docs/keys.md: every key has a row, and the bound and the life that the row promises."""

import re

from service import ROOT

TABLE = ROOT / "docs" / "keys.md"
NODE = 100  # lines of a stream's node, by which it may be longer than its bound

# How long after its time something may still be there: a sweep runs every ten seconds at least, the purge each second with short retention.
SWEEP = 15


def rows():
    """Pattern → type, of each row of the table."""
    return dict(re.findall(r"^\| `([^`]+)` \| (hash|zset|set|list|stream|string) \|", TABLE.read_text(), re.M))


def expression(pattern):
    parts = re.split(r"<\w+>", pattern)
    # What is limited may have braces of its own: an e-mail address that somebody typed.
    return re.compile(("(.+)" if pattern.startswith("{limit:") else "([^{}]+)").join(map(re.escape, parts)) + "$")


class Keyspace:
    """`redis` decodes what it answers. `retention` and `lock` are what the service was told, in seconds."""

    def __init__(self, redis, retention, lock):
        self.redis, self.retention, self.lock = redis, retention, lock
        self.rows = [(pattern, expression(pattern), kind) for pattern, kind in rows().items()]
        assert {pattern for pattern, _, _ in self.rows} == set(CHECKS), "docs/keys.md and the checks here name different keys"

    def keys(self):
        return sorted(self.redis.scan_iter(count=1000))

    def faults(self):
        """One line for each key that is not as the table says."""
        return [f"{key}: {fault}" for key in self.keys() for fault in self.faults_of(key)]

    def faults_of(self, key):
        for pattern, regex, kind in self.rows:
            match = regex.match(key)
            if not match:
                continue
            found = self.redis.type(key)
            if found == "none":
                return  # gone since it was listed
            if found != kind:
                yield f"a {found}, not a {kind}"
                return
            yield from CHECKS[pattern](self, key, *match.groups())
            return
        yield "in no row of the table"

    # What a check asks.

    def size(self, key):
        return {"hash": self.redis.hlen, "set": self.redis.scard, "zset": self.redis.zcard, "list": self.redis.llen, "stream": self.redis.xlen,
                "none": lambda _: 0}[self.redis.type(key)](key)

    def now(self):
        seconds, microseconds = self.redis.time()
        return seconds + microseconds / 1e6

    def members(self, key):
        """Members of a sorted set or fields of a hash, as a set."""
        if self.redis.type(key) == "hash":
            return set(self.redis.hkeys(key))
        return set(self.redis.zrange(key, 0, -1))

    def of(self, queue, name):
        return self.members(f"{{q:{queue}}}:{name}")


# Checks: each gives what is wrong, in words.

def at_most(bound, *more):
    def check(space, key, *_):
        size = space.size(key)
        if size > bound:
            yield f"{size} of {bound}"
        yield from stays(space, key, *_)
        for other in more:
            yield from other(space, key, *_)
    return check


def stays(space, key, *names):
    """It has no life of its own: a deleted queue's is the retention."""
    left = space.redis.ttl(key)
    if left == -1 or left == -2:
        return
    settings = f"{{q:{names[0]}}}:settings" if key.startswith("{q:") else None
    if settings is None or space.redis.hget(settings, "deleted") == "0":
        yield f"would be gone in {left} s"


def lives(seconds):
    def check(space, key, *_):
        limit = seconds(space) if callable(seconds) else seconds
        left = space.redis.pttl(key)
        if left == -1 or left > 1000 * limit:
            yield f"lives for {left} ms, not for {limit} s at most"
    return check


def none_older(extra, spared=lambda space, queue: set()):
    """No member of a sorted set by ms is older than the retention, but for those whom `spared` names."""
    def check(space, key, queue):
        members = space.redis.zrange(key, 0, -1, withscores=True)
        kept = spared(space, queue)
        age = max((space.now() - at / 1000 for member, at in members if member not in kept), default=0)
        if age > space.retention + extra:
            yield f"its oldest is {age:.0f} s old, kept for {space.retention} s"
        yield from stays(space, key, queue)
    return check


def inside(space, queue):
    """Those whose session lasts."""
    return set(space.redis.zrangebyscore(f"{{q:{queue}}}:sessions", space.now() * 1000, "+inf"))


def within(*names):
    """Everybody named here is in one of the queue's other keys."""
    def check(space, key, queue):
        known = set().union(*(space.of(queue, name) for name in names))
        stray = {member.rsplit(":", 1)[-1] for member in space.members(key)} - known
        if stray:
            yield f"{len(stray)} of {space.size(key)} are in none of {names}, such as {sorted(stray)[0]}"
        yield from stays(space, key, queue)
    return check


def waiting(space, queue):
    """Who waits: id → sequence number."""
    return {member: int(score) for member, score in space.redis.zrange(f"{{q:{queue}}}:waiting", 0, -1, withscores=True)}


def lines(space, queue):
    """The sequence numbers of those whose record is a line of their own."""
    return {int(line.split("-")[0]) for line, _ in space.redis.xrange(f"{{q:{queue}}}:visitors")}


def recorded(space, key, queue):
    """Everybody who waits has a record, in one place or the other."""
    known, entries = lines(space, queue), space.of(queue, "entries")
    lost = [member for member, sequence in waiting(space, queue).items() if (sequence in known) == (member in entries)]
    if lost:
        yield f"{len(lost)} without a record or with two, such as {lost[0]}"
    yield from stays(space, key, queue)


def of_those_who_wait(space, key, queue):
    stray = lines(space, queue) - set(waiting(space, queue).values())
    if stray:
        yield f"{len(stray)} lines of nobody, such as that of number {min(stray)}"
    yield from stays(space, key, queue)


def everybody_else(space, key, queue):
    """A field of each who has finished, and of each who waits without a line."""
    known = lines(space, queue)
    unlined = {member for member, sequence in waiting(space, queue).items() if sequence not in known}
    people = unlined.union(*(space.of(queue, name) for name in ("ready", "expired", "rejected")))
    if space.members(key) != people:
        more, less = len(space.members(key) - people), len(people - space.members(key))
        yield f"{more} of nobody, {less} missing"
    yield from stays(space, key, queue)


def the_living(space, key, *names):
    """An index has a member for each record that there is."""
    kind = {"tenants": "{t:%s}:record", "queues": "{q:%s}:settings", "index": "{a:%s}:record"}[key.rsplit(":", 1)[1]]
    for member in space.members(key):
        if not space.redis.exists(kind % member):
            yield f"names {member}, of which there is no record"
    if names and not space.redis.exists("{t:%s}:record" % names[0]):
        yield "its tenant is gone"
    yield from stays(space, key)


def record_of(index):
    def check(space, key, name):
        if space.redis.zscore(index, name) is None:
            yield f"is not in {index}"
        yield from at_most(20 if not index.endswith("queues") else 40)(space, key, name)
    return check


def account(space, key, name):
    if space.redis.hget(key, "deleted") == "1":
        yield from lives(7 * 86_400)(space, key)
    else:
        yield from record_of("{accounts}:index")(space, key, name)


def as_many(*indexes):
    def check(space, key, *names):
        size, named = space.size(key), sum(space.size(index % names) for index in indexes)
        if size != named:
            yield f"{size} names for {named} of {' and '.join(indexes)}"
        yield from stays(space, key)
    return check


def beating(seconds):
    """Nobody is named whose last sign of life is longer ago; a busy machine may be late by some seconds."""
    def check(space, key, *_):
        limit = seconds(space) if callable(seconds) else seconds
        oldest = space.redis.zrange(key, 0, 0, withscores=True)
        if oldest and space.now() - oldest[0][1] / 1000 > limit + 5:
            yield "names a program that died"
    return check


def until_over(seconds):
    """No member of a sorted set by the ms of its end ended longer ago."""
    def check(space, key, *_):
        oldest = space.redis.zrange(key, 0, 0, withscores=True)
        if oldest and space.now() - oldest[0][1] / 1000 > seconds + SWEEP:
            yield f"{oldest[0][0]} should be gone by now"
        yield from stays(space, key, *_)
    return check


def brief(space, key, *_):
    """Of deleted things, by the second when they were seen to be."""
    oldest = space.redis.zrange(key, 0, 0, withscores=True)
    if oldest and space.now() - oldest[0][1] > max(15, space.retention) + SWEEP:
        yield f"{oldest[0][0]} should be gone by now"


def limit(space, key, *_):
    if space.size(key) > 3:
        yield f"{space.size(key)} fields of 3"
    yield from lives(120)(space, key)


def of_a_tenant(space, key, tenant):
    if not space.redis.exists("{t:%s}:record" % tenant):
        yield "its tenant is gone"


def nothing(space, key, *_):
    """In quiet nobody is on the way."""
    if space.size(key):
        yield f"{space.size(key)} who never arrived"


CHECKS = {
    "{q:<queue>}:settings": record_of("{catalogue}:queues"),
    "{q:<queue>}:waiting": recorded,
    "{q:<queue>}:visitors": of_those_who_wait,
    "{q:<queue>}:entries": everybody_else,
    "{q:<queue>}:ready": none_older(SWEEP, inside),
    "{q:<queue>}:expired": none_older(SWEEP),
    "{q:<queue>}:rejected": none_older(SWEEP),
    "{q:<queue>}:bucket": at_most(5),
    "{q:<queue>}:counters": at_most(25),
    "{q:<queue>}:days": at_most(190),
    "{q:<queue>}:outbox": within("ready", "dead_letters"),
    "{q:<queue>}:callbacks": within("outbox"),
    "{q:<queue>}:deliveries": within("entries"),
    "{q:<queue>}:dead": at_most(10_000, within("dead_letters")),
    "{q:<queue>}:dead_letters": within("dead", "outbox"),
    "{q:<queue>}:durations": at_most(20),
    "{q:<queue>}:desks": at_most(200),
    "{q:<queue>}:typed": within("waiting"),
    "{q:<queue>}:service_types": at_most(100),
    "{q:<queue>}:events": at_most(50_000 + NODE),
    "{q:<queue>}:tombstones": lives(lambda space: max(1, space.retention)),
    "{q:<queue>}:transfers": nothing,
    "{q:<queue>}:minutes": at_most(1500 + NODE),
    "{q:<queue>}:hours": at_most(800 + NODE),
    "{q:<queue>}:incidents": at_most(20),
    "{q:<queue>}:view": lives(600),
    "{q:<queue>}:revoked": lives(86_400),
    "{q:<queue>}:sessions": until_over(600),
    "{t:<tenant>}:rate": lives(60),
    "{q:<queue>}:redeemed:<proof>": lives(366 * 86_400),
    "{catalogue}:slugs": as_many("{catalogue}:tenants"),
    "{catalogue}:tenants": the_living,
    "{catalogue}:queues": the_living,
    "{catalogue}:deleted": brief,
    "{accounts}:emails": as_many("{accounts}:index"),
    "{accounts}:index": the_living,
    "{audit}:log": at_most(50_000 + NODE),
    "{catalogue}:workers": beating(lambda space: space.lock),
    "{catalogue}:shares": at_most(256),
    "{catalogue}:gateways": beating(4),
    "{catalogue}:incidents": at_most(20),
    "{catalogue}:secret": stays,
    "{t:<tenant>}:record": record_of("{catalogue}:tenants"),
    "{t:<tenant>}:slugs": as_many("{t:%s}:queues"),
    "{t:<tenant>}:queues": the_living,
    "{t:<tenant>}:audit": at_most(10_000 + NODE, of_a_tenant),
    "{a:<account>}:record": account,
    "{s:<session>}:ended": lives(86_400),
    "{limit:<what>:<whom>}": limit,
}
