"""Gateways and workers that die, stand still, or whose clocks are wrong."""

import email.utils
import json
import time
import urllib.request

import pytest

from clock import Clock
from history import IDLE, SILENT
from installation import LOCK_SECONDS
from service import free_port
from soak import LONG, sized

RATE = 1200


def test_gateways_and_workers_killed_at_any_instant(rig):
    with rig.crowd(RATE) as crowd:
        crowd.come(sized(70, 300), seconds=sized(1.5, 10))
        with crowd.history.outage("killed", SILENT, IDLE):
            for _ in range(sized(5, 40)):
                program = rig.chance.choice(rig.installation.gateways + rig.installation.workers)
                program.kill()
                time.sleep(rig.chance.uniform(0.1, 0.5))
                program.start()
            rig.installation.settle()
        crowd.all_have("ready")


def test_workers_stopped_for_longer_than_a_lock_lives_and_a_gateway(rig):
    workers, gateways = rig.installation.workers, rig.installation.gateways
    with rig.crowd(RATE) as crowd:
        crowd.come(sized(90, 300))
        crowd.all_have("waiting")
        for _ in range(sized(1, 5)):
            for stopped in ([rig.chance.choice(workers)], workers):
                with crowd.history.outage(f"{len(stopped)} of {len(workers)} workers stopped", IDLE):
                    for worker in stopped:
                        worker.pause()
                    time.sleep(LOCK_SECONDS * rig.chance.uniform(1.2, 1.6))
                    for worker in stopped:
                        worker.go_on()
            with crowd.history.outage("a gateway stopped", SILENT), rig.chance.choice(gateways).paused():
                time.sleep(sized(0.8, 6))
        crowd.all_have("ready", sized(30, 120))


def gateway_clock(gateway):
    """How many seconds a gateway's clock is fast."""
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/health/live") as answer:
        return email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()


def health(gateway):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/health") as answer:
        return json.load(answer)["status"]


def test_clocks_an_hour_off_and_jumping(rig, tmp_path, wrong_clock):
    installation = rig.installation
    fast, slow = Clock(wrong_clock, tmp_path / "fast", 3600), Clock(wrong_clock, tmp_path / "slow", -3600)
    for worker in installation.workers:
        worker.pause()
    gateways = [installation.gateway(free_port(), **clock.variables) for clock in (fast, slow)]
    workers = [installation.worker(**clock.variables) for clock in (fast, slow)]
    try:
        installation.await_ready(gateways)
        assert [round(gateway_clock(gateway), -2) for gateway in gateways] == [3600, -3600]
        with rig.crowd(RATE, ports=[gateway.port for gateway in gateways]) as crowd:
            # The locks of the others still live.
            with crowd.history.outage("other workers stopped", IDLE, recovery=LOCK_SECONDS + 0.5):
                crowd.come(sized(50, 300), seconds=sized(1, 20))
            time.sleep(LOCK_SECONDS + 0.7)
            assert [health(gateway) for gateway in gateways] == ["healthy", "healthy"]
            fast.set(-3600)
            slow.set(3600)
            assert [health(gateway) for gateway in gateways] == ["healthy", "healthy"]
            crowd.all_have("ready")
    finally:
        for program in gateways + workers:
            program.end()


@pytest.mark.skipif(not LONG, reason="takes half a minute: make soak")
def test_all_gateways_away_for_longer_than_a_visitor_may_be_silent(rig):
    """Nobody could poll, so nobody is given up."""
    with rig.crowd(120, wait_ttl_seconds=8) as crowd:
        crowd.come(60)
        crowd.all_have("waiting")
        with crowd.history.outage("all gateways killed", SILENT):
            for gateway in rig.installation.gateways:
                gateway.kill()
            time.sleep(20)
            rig.installation.settle()
        crowd.all_have("ready", seconds=60)
