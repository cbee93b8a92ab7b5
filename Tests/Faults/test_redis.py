"""Redis that dies, stands still, forgets, is full, or is not the primary any more."""

import contextlib
import os
import time

from clock import Clock
from deadline import until
from history import IDLE, UNAVAILABLE
from installation import Program
from service import free_port
from soak import sized

RATE = 1200
REUNION_SECONDS = 1.0


@contextlib.contextmanager
def configured(store, **settings):
    """Redis with other settings for the time of the block."""
    before = {name: store.config_get(name)[name] for name in settings}
    try:
        for name, value in settings.items():
            store.config_set(name, value)
        yield
    finally:
        for name, value in before.items():
            store.config_set(name, value)


def test_killed_and_started_again(rig):
    """With an append-only file, whatever its policy: what Redis has acknowledged the kernel has, and the kernel lives on."""
    installation = rig.installation
    with rig.crowd(RATE) as crowd:
        for fsync in ("everysec", "always") * sized(1, 5):
            with configured(installation.store, appendfsync=fsync):
                crowd.come(sized(40, 150), seconds=1)
                time.sleep(rig.chance.uniform(0.3, 0.9))
                with crowd.history.outage(f"Redis killed, appendfsync {fsync}", UNAVAILABLE, IDLE):
                    installation.server.kill()
                    time.sleep(rig.chance.uniform(0.1, 0.5))
                    installation.server.start()
                    installation.answers()
        crowd.all_have("ready", sized(30, 120))


def test_stopped(rig):
    with rig.crowd(RATE) as crowd:
        crowd.come(sized(50, 250), seconds=sized(0.8, 10))
        time.sleep(0.3)
        with crowd.history.outage("Redis stopped", UNAVAILABLE, IDLE), rig.installation.server.paused():
            time.sleep(sized(2.5, 10))
        crowd.all_have("ready", sized(30, 120))


def test_its_clock_jumps(rig, tmp_path, wrong_clock):
    """An hour forth, and back again."""
    clock = Clock(wrong_clock, tmp_path / "clock", 0)
    try:
        with rig.crowd(RATE) as crowd:
            with crowd.history.outage("Redis started again", UNAVAILABLE, IDLE):
                restart(rig.installation, os.environ | clock.variables)
            crowd.come(sized(80, 300), seconds=1)
            for ahead in (3600, 0) * sized(1, 5):
                time.sleep(1)
                crowd.history.step(ahead)
                clock.set(ahead)
                assert abs(rig.installation.store.time()[0] - time.time() - ahead) < 5
            crowd.all_have("ready", sized(30, 120))
    finally:
        restart(rig.installation, None)
        # The next crowd is to find workers that let people in again (`Queues.reunion`).
        time.sleep(REUNION_SECONDS)


def restart(installation, environment):
    installation.server.kill()
    installation.server.environment = environment
    installation.settle()


def test_scripts_forgotten_connections_cut_and_too_many_clients(rig):
    store = rig.installation.store

    def cut():
        store.client_kill_filter(_type="normal", skipme=True)

    with rig.crowd(RATE) as crowd:
        crowd.come(sized(80, 300), seconds=sized(1.5, 20))
        rig.repeatedly(sized(1, 20), store.script_flush, pause=0.01)
        with crowd.history.outage("CLIENT KILL", UNAVAILABLE, IDLE, recovery=1):
            rig.repeatedly(sized(1, 20), cut, pause=0.1)
        with crowd.history.outage("maxclients", UNAVAILABLE, IDLE), configured(store, maxclients=1):
            cut()
            time.sleep(sized(1, 10))
        crowd.all_have("ready", sized(30, 120))


def test_memory_and_disk_full(rig):
    """Nobody can join. With full memory the line goes on, and whoever has a place is told of it: neither is excused."""
    store = rig.installation.store
    with rig.crowd(RATE) as crowd:
        crowd.come(sized(80, 300))
        crowd.all_have("waiting")
        with crowd.history.outage("memory full", UNAVAILABLE, recovery=0.5), configured(store, maxmemory=1):
            since = time.monotonic()
            crowd.come(5)
            time.sleep(sized(1.5, 10))
            assert {answer.status for answer in crowd.asked("join", since)} == {503}
            assert {answer.status for answer in crowd.asked("poll", since)} == {200}
        # A disk of Redis's own needs root and the right to mount.
        if disk := rig.installation.disk:
            with crowd.history.outage("disk full", UNAVAILABLE, IDLE), filled(disk):
                until(lambda: store.info("persistence")["aof_last_write_status"] == "err", "Redis sees that the disk is full")
                since = time.monotonic()
                crowd.come(5)
                time.sleep(sized(1, 10))
                assert {answer.status for answer in crowd.asked("join", since)} == {503}
        crowd.all_have("ready", sized(30, 120))


@contextlib.contextmanager
def filled(disk):
    file = disk / "filler"
    try:
        with open(file, "wb", buffering=0) as writing:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while writing.write(b"x" * size):
                        pass
        yield
    finally:
        os.unlink(file)


def test_read_only_after_a_failover_and_back(rig):
    store, folder = rig.installation.store, rig.installation.folder
    here, there = free_port(), free_port()
    data = folder / f"replica-{there}"
    data.mkdir()
    address = ["--port", str(there), "--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0", "--dir", str(data)]
    replica = Program(folder, "replica", ["redis-server", *address, "--replicaof", "127.0.0.1", str(here)])
    with contextlib.ExitStack() as stack:
        stack.enter_context(configured(store, **{"bind": "127.0.0.1", "port": here, "repl-diskless-sync-delay": 0}))
        replica.start()
        stack.callback(replica.end)
        until(lambda: store.info("replication").get("slave0", {}).get("state") == "online", "the replica follows")
        with rig.crowd(RATE) as crowd:
            crowd.come(sized(50, 250), seconds=sized(0.8, 10))
            time.sleep(0.5)
            with crowd.history.outage("failed over", UNAVAILABLE, IDLE):
                store.execute_command("FAILOVER")
                until(lambda: store.info("replication").get("master_link_status") == "up", "it follows the other one")
                time.sleep(sized(0.5, 10))
                store.replicaof("NO", "ONE")
            crowd.all_have("ready", sized(30, 120))
