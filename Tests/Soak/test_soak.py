"""What the service takes comes back: after everybody has gone Redis holds what it held before, and both programs are no larger.

The first round of traffic fills what is filled once: pools, caches, scripts, the memory that an allocator keeps. What there is then is the
baseline. `SOAK=1` makes the second round last `SOAK_SECONDS` (600), and only then is memory judged: in a few seconds a leak is less than the
noise. The judgement is a slope: the last quarter of the round may not be above the second by more than `NOISE_KB`.
"""

import json
import os
import random
import threading
import urllib.request

import pytest
import redis

import footprint
from callback_site import CallbackSite
from deadline import until
from keyspace import Keyspace
from service import Service, running
from traffic import Traffic

LONG = bool(os.environ.get("SOAK"))
SECONDS = int(os.environ.get("SOAK_SECONDS", 600)) if LONG else 7
RETENTION_HOURS = 0.001
LOCK_MS = 1000
# What two runs of ten minutes differed by where nothing is kept: about 40 bytes a request. A person in line is 160 in Redis, a record remembered
# by a gateway 400, a connection 17,000.
NOISE_KB, REDIS_BYTES = 3000, 200_000
# Threads of pools that begin when first needed: lookups of hosts (16), passwords (one a core).
THREADS = 16 + (os.cpu_count() or 1)
# Connections to a site that took callbacks are kept for 30 seconds.
DESCRIPTORS = 2 if LONG else 32


@pytest.fixture
def site():
    site = CallbackSite()
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture
def service(tmp_path, site):
    # Limits count and keep, but refuse nobody who is not an abuser.
    service = Service(
        tmp_path, RETENTION_HOURS=str(RETENTION_HOURS), LOCK_TTL_MS=str(LOCK_MS), CALLBACK_MAX_ATTEMPTS="2", TRUSTED_PROXIES="127.0.0.0/8",
        RATE_LIMIT_PER_MINUTE="1000000", LOG_LEVEL="warning")
    with running(service):
        service.start_one("gateway")
        service.start_one("releaser")
        for address in service.gateways[1:] + [f"http://{host}" for host in service.metrics["releaser"]]:
            until(lambda: answers(address + "/health/ready"), f"{address} is ready", seconds=60)
        yield service


class Watch:
    """Looks at the processes every second while traffic goes on."""

    def __init__(self, processes):
        self.processes, self.samples, self.over = processes, {name: [] for name in processes}, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.over.wait(1):
            for name, child in self.processes.items():
                self.samples[name].append(footprint.of_process(child.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=10):
            return True
    except OSError:
        return False


def series_of(service):
    """Label sets by metric of each program."""
    found = {}
    for program, addresses in service.metrics.items():
        for number, address in enumerate(addresses):
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
                found[f"{program}-{number + 1}"] = footprint.series(answer.read().decode())
    return found


def settle(space, with_limits):
    """Waits until all that goes by itself has gone: retries, retention, sweeps, the purge, and what the limits count."""
    def is_quiet():
        if space.redis.exists("{catalogue}:deleted") or (with_limits and next(space.redis.scan_iter("{limit:*", count=1000), None)):
            return False
        queues = space.redis.zrange("{catalogue}:queues", 0, -1)
        people = ("waiting", "entries", "outbox", "callbacks", "deliveries", "typed", "transfers", "sessions")
        return not any(space.redis.exists(f"{{q:{queue}}}:{name}") for queue in queues for name in people)
    until(is_quiet, "all that goes by itself has gone", seconds=200 if with_limits else 45)
    until(lambda: not space.faults(), f"no key is amiss: {space.faults()[:5]}")


def measure(space, service, processes):
    return {
        "redis": footprint.of_redis(space.redis), "sizes": footprint.sizes(space.redis), "series": series_of(service),
        "processes": {name: footprint.of_process(child.pid) for name, child in processes.items()},
    }


def most_series(metric, queues):
    """Label sets that a metric may have: by routes and statuses, by queue, by kind."""
    if metric == "queue_joins_total":
        return 10_000  # a gateway does not hear of deleted queues
    return 400 if metric.startswith("http_") else queues if metric.startswith("queue_") else 8


def growth(samples):
    """How far the last quarter is above the second: what a steady leak adds in half of the time. Of each quarter the least counts: a sign-in
    takes 32 MB for a moment, and a leak is there at any moment."""
    quarter = len(samples) // 4
    return min(samples[-quarter:]) - min(samples[quarter:2 * quarter])


@pytest.mark.parametrize("kilobytes_a_second, is_leak", [(0, False), (5, False), (20, True), (100, True)])
def test_a_leak_is_told_from_noise(kilobytes_a_second, is_leak):
    dice = random.Random(7)
    samples = [55_000 + second * kilobytes_a_second + dice.choice([0, 0, 200, 32_768, 65_536]) for second in range(600)]
    assert (growth(samples) > NOISE_KB) == is_leak


def test_what_was_taken_comes_back(service, site):
    space = Keyspace(
        redis.Redis(unix_socket_path=str(service.folder / "redis.sock"), decode_responses=True), RETENTION_HOURS * 3600, LOCK_MS / 1000)
    names = ["gateway-1", "releaser-1", "gateway-2", "releaser-2"]
    processes = dict(zip(names, service.children[1:]))
    traffic = Traffic(service, site)

    traffic.run(120 if LONG else 4)
    settle(space, with_limits=LONG)
    before = measure(space, service, processes)
    with Watch(processes) as watch:
        answered = traffic.run(SECONDS)
    settle(space, with_limits=LONG)
    after = measure(space, service, processes)

    report = {"requests": answered, "statuses": traffic.statuses, "callbacks": site.count, "before": before, "after": after,
              "kB": {name: [sample["kB"] for sample in samples][::max(1, SECONDS // 60)] for name, samples in watch.samples.items()},
              "growth in kB": {name: growth([sample["kB"] for sample in samples]) for name, samples in watch.samples.items()}}
    (service.folder / "report.json").write_text(json.dumps(report, indent=1))
    print(json.dumps(report))

    for log in service.folder.glob("gateway*.log"):
        assert '"level":"error"' not in log.read_text(), log.read_text()[:2000]
    assert answered > 20 * SECONDS
    assert {200, 201, 204, 401, 404, 422} <= traffic.statuses.keys(), traffic.statuses
    assert after["sizes"] == before["sizes"]
    for name in names:
        now, then = after["processes"][name], before["processes"][name]
        assert now["threads"] <= then["threads"] + THREADS, (name, then, now)
        assert now["descriptors"] <= then["descriptors"] + DESCRIPTORS, (name, then, now)
        for metric, count in after["series"][name].items():
            assert count <= most_series(metric, queues=5), (name, metric, count)
    if LONG:
        assert after["redis"]["bytes"] <= before["redis"]["bytes"] + REDIS_BYTES
        for name, samples in watch.samples.items():
            assert growth([sample["kB"] for sample in samples]) <= NOISE_KB, name
