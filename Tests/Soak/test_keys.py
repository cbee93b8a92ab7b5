"""A mixed run of everything that makes a key, after which each key has its row in docs/keys.md and keeps to it."""

import secrets
import time
import urllib.parse

import jwt
import pytest
import redis

from callback_site import CallbackSite
from deadline import until
from keyspace import CHECKS, Keyspace
from service import Answer, Service, running

RETENTION_HOURS = 0.002
LOCK_MS = 2000
# Made at the end of a minute or an hour, when Redis is unwell or has lost its data, or without a SECRET_KEY.
RARE = {"{q:<queue>}:tombstones", "{q:<queue>}:minutes", "{q:<queue>}:hours", "{catalogue}:incidents", "{catalogue}:secret"}
PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def site():
    site = CallbackSite()
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory, site):
    service = Service(
        tmp_path_factory.mktemp("service"), RETENTION_HOURS=str(RETENTION_HOURS), LOCK_TTL_MS=str(LOCK_MS), CALLBACK_MAX_ATTEMPTS="2",
        QUEUE_THRESHOLD="5", WEBHOOK_URL=f"{site.address}/ok", JOIN_LIMIT_PER_MINUTE="100", TRUSTED_PROXIES="127.0.0.0/8")
    with running(service):
        service.start_one("gateway")
        service.start_one("releaser")
        yield service


@pytest.fixture(scope="module")
def space(service):
    client = redis.Redis(unix_socket_path=str(service.folder / "redis.sock"), decode_responses=True)
    return Keyspace(client, retention=RETENTION_HOURS * 3600, lock=LOCK_MS / 1000)


class Written:
    """The names of all keys that were ever written, those that live for a millisecond too."""

    def __init__(self, client):
        self.keys = set()
        client.config_set("notify-keyspace-events", "EA")
        self.subscription = client.pubsub()
        self.subscription.psubscribe(**{"__keyevent@0__:*": lambda message: self.keys.add(message["data"])})
        self.thread = self.subscription.run_in_thread(sleep_time=0.1, daemon=True)

    def stop(self):
        self.thread.stop()
        self.thread.join()


@pytest.fixture
def written(space):
    written = Written(space.redis)
    try:
        yield written
    finally:
        written.stop()


def limited(call, *arguments):
    """Calls until the limit is reached, which slides with time."""
    for _ in range(200):
        try:
            call(*arguments)
        except Answer as answer:
            if answer.status == 429:
                return
    pytest.fail("never limited")


def poll(service, token):
    return service.call("GET", f"/queue_status?{urllib.parse.urlencode({'token': token})}")


def sign_in(service, email, password):
    form = urllib.parse.urlencode({"username": email, "password": password}).encode()
    return service.call("POST", "/auth/login", form)["access_token"]


def people(service, shop, careless):
    """A website's visitors: they join, ask, leave, fall silent, are let in, with callbacks taken, refused and given up."""
    by_hand = service.make_queue(shop, name="By hand", wait_ttl_seconds=60)
    forgetful = service.make_queue(shop, name="Forgetful", wait_ttl_seconds=1)
    for queue, visitors in ((by_hand, 8), (forgetful, 4), (service.make_queue(shop, max_users_per_minute=6000), 8),
                            (service.make_queue(careless, max_users_per_minute=6000, session_seconds=1), 8)):
        tokens = [queue.join(f"visitor-{number}")["token"] for number in range(visitors)]
        for token in tokens[:3]:
            poll(service, token)
        if queue is by_hand:
            service.call("POST", "/cancel", {"token": tokens[1]})
    headers = {"X-API-Key": shop["api_key"], "Idempotency-Key": secrets.token_urlsafe(24)}
    again = [service.call("POST", "/join", {"queue_id": by_hand.id, "visitor_id": "twice"}, headers)["id"] for _ in range(2)]
    assert again[0] == again[1]
    service.call("POST", f"/queue_users/{again[0]}/release")
    service.call("POST", "/passes/revoke", {"entry_id": again[0]})
    service.call("PUT", f"/applications/{shop['id']}", {"max_users_per_minute": 60_000})
    invited = service.make_queue(shop, invitations="required")
    invitation = jwt.encode({"queue": invited.id, "jti": "guest", "exp": int(time.time()) + 60}, shop["secret_key"], algorithm="HS256")
    service.call(
        "POST", "/join", {"queue_id": invited.id, "visitor_id": "guest", "invitation": invitation}, {"X-API-Key": shop["api_key"]})
    return by_hand


def counter(service):
    """A walk-in line: two queues, service types, and every step of a desk."""
    tenant = f"office-{secrets.token_hex(4)}"
    keys = {name: service.call("POST", f"/api/{tenant}/queues", {"queue_id": name, "name": name})["admin_key"] for name in ("in", "out")}

    def call(method, path, body=None):
        return service.call(method, f"/api/{tenant}/in/{path}", body, {"X-Admin-Key": keys["in"]})

    types = [call("POST", "service-types", {"code": code, "name": code})["id"] for code in "ABC"]
    call("DELETE", f"service-types/{types[2]}")
    for number in range(10):
        call("POST", "join", {"name": f"Guest {number}", "service_type_id": types[number % 2] if number % 3 else None})
    call("POST", "call-next", {"desk": "1"})
    call("POST", "recall", {"desk": "1"})
    call("POST", "no-show", {"desk": "1"})
    call("POST", "undo", {"desk": "1"})
    call("POST", "return", {"desk": "1"})
    call("POST", "call-next", {"desk": "1", "service_type_id": types[1]})
    call("POST", "transfer", {"desk": "1", "service_type_id": types[0]})
    call("POST", "call-next", {"desk": "1"})
    call("POST", "transfer", {"desk": "1", "queue_id": "out"})
    call("POST", "undo", {"desk": "1"})
    call("POST", "call-next", {"desk": "1"})
    call("POST", "transfer", {"desk": "1", "queue_id": "out"})
    call("POST", "serve-next", {"desk": "2"})
    return tenant, call


def people_who_sign_in(service, shop):
    account = service.call(
        "POST", "/users/", {"email": "ann@shop.example", "password": PASSWORD, "role": "viewer", "application_id": shop["id"]})
    gone = service.call(
        "POST", "/users/", {"email": "bob@shop.example", "password": PASSWORD, "role": "app_admin", "application_id": shop["id"]})
    token = sign_in(service, "ann@shop.example", PASSWORD)
    service.call("POST", "/auth/logout", headers={"Authorization": f"Bearer {token}"})
    limited(sign_in, service, "{bob}@shop.example", "wrong")
    service.call("PUT", f"/users/{account['id']}", {"role": "app_admin"})
    service.call("DELETE", f"/users/{gone['id']}")


def limits(service, queue):
    headers = {"X-API-Key": queue.application["api_key"], "X-Forwarded-For": "192.0.2.7"}
    body = {"queue_id": queue.id, "visitor_id": "eager", "token": queue.join("eager")["token"]}
    limited(service.call, "POST", "/join", body, headers)


def lengthen(client, key, lines_before):
    """Puts so many lines before those of a stream."""
    lines = client.xrange(key)
    first = int(lines[0][0].split("-")[0])
    pipe = client.pipeline(transaction=False)
    pipe.delete(key)
    for number in range(lines_before):
        pipe.xadd(key, {"t": "JOIN"}, id=f"{first - lines_before + number}-0")
    for line, fields in lines:
        pipe.xadd(key, fields, id=line)
    pipe.execute()


def test_every_key_keeps_to_its_row(service, site, space, written):
    shop = service.make_application(callback_url=f"{site.address}/ok")
    careless = service.make_application(name="Careless", callback_url=f"{site.address}/fails")
    by_hand = people(service, shop, careless)
    counter(service)
    people_who_sign_in(service, shop)
    limits(service, by_hand)
    until(lambda: any(b"people wait in" in body for body in site.bodies), "an alert of a long queue")

    doomed = service.make_application(name="Doomed", callback_url=None)
    for _ in range(3):
        service.make_queue(doomed).join("late")
    service.call("DELETE", f"/queues/{service.make_queue(shop, name='Doomed').id}")
    service.call("DELETE", f"/applications/{doomed['id']}")
    until(lambda: space.redis.exists("{catalogue}:deleted"), "the deletions are noted")
    # As after weeks, so that the next step has something to push out.
    tenant, call = counter(service)
    owner = space.redis.hget("{catalogue}:slugs", tenant)
    line = "{q:%s}:" % space.redis.hget("{t:%s}:slugs" % owner, "in")
    lengthen(space.redis, line + "events", 50_200)
    lengthen(space.redis, "{audit}:log", 50_200)
    lengthen(space.redis, "{t:%s}:audit" % space.redis.hget("{catalogue}:slugs", shop["slug"]), 10_200)
    space.redis.hset(line + "desks", mapping={f"Desk {number}": "- 1 0 - - - " for number in range(190)})
    space.redis.rpush(line + "durations", *["1:1"] * 20)
    space.redis.hset(line + "days", mapping={f"joined:{day}": 1 for day in range(200)})
    for number in range(10):
        call("POST", "serve-next", {"desk": f"New desk {number}"})
    service.make_queue(shop, name="One more line in the audit log")

    # Until all has happened that will by itself: retries, retention, sweeps, the purge.
    limit = time.monotonic() + 60
    while True:
        faults = space.faults()
        if not faults and not space.redis.exists("{catalogue}:deleted"):
            break
        assert time.monotonic() < limit, "\n".join(faults)
        time.sleep(0.5)
    # What no run made no run has held against its row.
    missing = set(CHECKS) - {pattern for pattern, regex, _ in space.rows if any(map(regex.match, written.keys))}
    assert missing <= RARE, missing
    assert not [key for key in space.keys() if doomed["id"].replace("-", "") in key]


# Each breaks a promise of the table in one way, by the commands that a fault of ours might send.
PLANTED = {
    "a key of nobody": ["SET {something} 1"],
    "a queue's key that the table does not know": ["HSET {q:Q}:later a 1"],
    "a key of another type": ["SADD {q:Q}:typed a"],
    "a queue that is in no index": ["HSET {q:lost}:settings slug a deleted 0"],
    "a limit without an end": ["HSET {limit:joins:192.0.2.9} now 1"],
    "a session's end without an end": ["SET {s:x}:ended 1"],
    "settings that will be gone": ["EXPIRE {q:Q}:settings 100"],
    "somebody in no line": ["HSET {q:Q}:entries ghost 1"],
    "somebody without a record": ["ZADD {q:Q}:waiting 1 ghost"],
    "a record of nobody": ["XADD {q:Q}:visitors 9-1 v ghost"],
    "somebody let in long ago": ["HSET {q:Q}:entries ghost 1", "ZADD {q:Q}:ready 1 ghost"],
    "a failed callback that nobody is owed": ["HSET {q:Q}:callbacks ghost 1"],
    "a callback owed to nobody": ["ZADD {q:Q}:outbox 9e12 ghost"],
    "a delivery to somebody forgotten": ["HSET {q:Q}:deliveries ghost 1"],
    "a letter that is not dead": ["HSET {q:Q}:dead_letters ghost 1"],
    "a place by service type of nobody": ["ZADD {q:Q}:typed 0 a:1:ghost"],
    "somebody who never arrives": ["HSET {q:Q}:transfers ghost 1"],
    "too many desks": ["HSET {q:Q}:desks " + " ".join(f"{number} 1" for number in range(201))],
    "too many days": ["HSET {q:Q}:days " + " ".join(f"{number} 1" for number in range(191))],
    "a name of nothing": ["HSET {catalogue}:slugs a b"],
    "a name in an index without a record": ["ZADD {catalogue}:queues 1 ghost"],
    "an account that is in no index": ["HSET {a:x}:record email e"],
    "the audit log of a tenant that is gone": ["XADD {t:x}:audit * a 1"],
    "a worker that died long ago": ["ZADD {catalogue}:workers 1 x"],
    "too many shards": ["HSET {catalogue}:shares " + " ".join(f"{number} x" for number in range(257))],
    "a gateway that died long ago": ["ZADD {catalogue}:gateways 1 x"],
    "something deleted that stays": ["ZADD {catalogue}:deleted 1 x"],
}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """What a service left behind that has stopped: a queue that somebody has left, and nothing that would put a fault right."""
    with running(Service(tmp_path_factory.mktemp("quiet"))) as service:
        queue = service.make_queue(service.make_application())
        service.call("POST", "/cancel", {"token": queue.join("v")["token"]})
        for child in service.children[1:]:
            child.terminate()
            child.wait(20)
        client = redis.Redis(unix_socket_path=str(service.folder / "redis.sock"), decode_responses=True)
        client.delete("{catalogue}:gateways")  # the last one stays named until another comes
        yield Keyspace(client, retention=86_400, lock=LOCK_MS / 1000)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(quiet, name):
    assert quiet.faults() == []
    queue = quiet.redis.zrange("{catalogue}:queues", 0, 0)[0]
    before = {key: quiet.redis.dump(key) for key in quiet.keys()}
    lives = {key: quiet.redis.pttl(key) for key in before}
    for command in PLANTED[name]:
        quiet.redis.execute_command(*command.replace("{q:Q}", f"{{q:{queue}}}").split(" "))
    assert quiet.faults()
    quiet.redis.flushall()
    for key, value in before.items():
        # What had no time left, or none any more when it was read, would live for ever.
        if value and (lives[key] > 0 or lives[key] == -1):
            quiet.redis.restore(key, max(0, lives[key]), value)
