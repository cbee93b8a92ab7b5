"""A million wait and a hundred thousand a minute are let in: the rate holds, whatever else is asked meanwhile. Long form alone (`SOAK=1`); what
each step costs Redis with so many is held by `WaitingRoomTests/LongQueueTests.swift`."""

import os
import secrets
import time

import pytest
import redis

from deadline import until
from service import Service, running

PEOPLE, RATE, SECONDS = 1_000_000, 100_000, 60


@pytest.fixture
def service(tmp_path):
    with running(Service(tmp_path, LOG_LEVEL="warning")) as service:
        yield service


def fill(client, key):
    """As if so many had joined (`join-6.lua`)."""
    seconds, joined = time.time(), int(time.time() * 1000)
    for start in range(0, PEOPLE, 1000):
        pipe = client.pipeline(transaction=False)
        pipe.zadd(f"{key}:waiting", {
            secrets.token_urlsafe(16): start + number + 1 + int(seconds) % 131_072 / 131_072 for number in range(1000)})
        for number in range(1000):
            pipe.xadd(f"{key}:visitors", {"v": f"v{start + number:011}"}, id=f"{start + number + 1}-{joined}")
        pipe.execute()
    client.hset(f"{key}:counters", "sequence", PEOPLE)


@pytest.mark.skipif(not os.environ.get("SOAK"), reason="long form")
def test_the_rate_holds_before_a_million(service):
    client = redis.Redis(unix_socket_path=str(service.folder / "redis.sock"), decode_responses=True)
    queue = service.make_queue(service.make_application())
    key = f"{{q:{client.zrange('{catalogue}:queues', 0, 0)[0]}}}"
    fill(client, key)

    def released():
        return int(client.hget(f"{key}:counters", "released") or 0)

    service.call("PUT", f"/queues/{queue.id}", {"max_users_per_minute": RATE})
    until(released, "the first are let in")
    time.sleep(2)
    client.slowlog_reset()
    began, before = time.monotonic(), released()
    while time.monotonic() - began < SECONDS:
        service.call("GET", f"/queue_users?queue_id={queue.id}&skip={PEOPLE // 2}&limit=1000")
        queue.join("late")
        time.sleep(0.5)
    share = (released() - before) / (RATE * (time.monotonic() - began) / 60)
    print(f"{share:.4f} of the rate; {client.slowlog_len()} commands over 10 ms")
    assert 0.99 <= share <= 1.01
