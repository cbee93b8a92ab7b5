"""Trouble between the programs and Redis: replies that get lost after the command ran, come late, slowly or in pieces."""

import time

import pytest

from history import IDLE, UNAVAILABLE
from installation import Installation
from proxy import Proxy
from rig import SEED, Rig, begin
from soak import sized

RATE = 1200


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory):
    rig = Rig(Installation(tmp_path_factory.mktemp("installation"), workers=2), SEED)
    rig.proxy = Proxy(rig.loop, str(rig.installation.socket), SEED)
    rig.installation.redis_url = rig.proxy.url
    yield from begin(rig)


@pytest.fixture
def rig(behind_a_proxy):
    behind_a_proxy.installation.settle()
    return behind_a_proxy


def test_replies_lost_after_the_command_ran_and_connections_that_hang_and_are_reset(rig):
    """Joins are repeated, releases are not known to have happened, callbacks are claimed and settled unheard."""
    proxy = rig.proxy
    with rig.crowd(RATE) as crowd:
        crowd.come(sized(100, 300), seconds=sized(2.5, 20))
        for _ in range(sized(1, 6)):
            lost = proxy.lost
            with crowd.history.outage("replies lost", UNAVAILABLE, IDLE), proxy.does(loss=0.03):
                time.sleep(2.5)
            assert proxy.lost > lost
            with crowd.history.outage("hangs", UNAVAILABLE, IDLE), proxy.does(hangs=True):
                time.sleep(rig.chance.uniform(0.3, 2))
            with crowd.history.outage("reset", UNAVAILABLE, IDLE):
                rig.repeatedly(0.5, proxy.reset)
        crowd.all_have("ready", sized(30, 120))


def test_everything_split_at_every_byte_late_and_slow(rig):
    proxy = rig.proxy
    with rig.crowd(RATE, pause=sized(0.5, 2)) as crowd:
        with proxy.does(is_split=True):
            crowd.come(sized(25, 40), seconds=sized(1, 5))
            time.sleep(sized(1.2, 20))
        # Three trips to Redis and back, which is more than an answer needs, fit into its two seconds.
        with crowd.history.outage("late", IDLE), proxy.does(delay=0.2):
            crowd.come(sized(25, 40), seconds=sized(1, 5))
            time.sleep(sized(1.2, 20))
        with crowd.history.outage("slow", UNAVAILABLE, IDLE), proxy.does(bytes_per_second=20_000):
            crowd.come(sized(25, 40), seconds=sized(1, 5))
            time.sleep(sized(1.2, 20))
        crowd.all_have("ready", sized(30, 120))
