"""Sentinels that make another server the primary, while visitors come and poll."""

import time

import pytest

from deadline import until
from history import IDLE, OUTDATED, UNAVAILABLE
from installation import REBUILD_SECONDS
from replicated import NAME, Replicated
from rig import SEED, Rig, begin
from soak import sized

RATE = 1200
# What the new primary did not get comes back from tickets.
RECOVERY = REBUILD_SECONDS + 4


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    yield from begin(Rig(Replicated(tmp_path_factory.mktemp("replicated")), SEED))


def test_the_primary_dies_and_another_is_made_primary(rig):
    installation = rig.installation
    with rig.crowd(RATE) as crowd:
        for _ in range(sized(1, 4)):
            crowd.come(sized(60, 200), seconds=1)
            first = installation.primary()
            with crowd.history.outage("the primary killed", UNAVAILABLE, IDLE, OUTDATED, recovery=RECOVERY):
                installation.by_port[first].kill()
                until(lambda: installation.primary() not in (None, first), "the sentinels have elected another primary")
            crowd.come(20, seconds=0.5)
            time.sleep(RECOVERY)
            # The dead one comes back, and is a replica.
            installation.settle()
            until(installation.is_watched, "all servers are there")
        second = installation.primary()
        with crowd.history.outage("failed over by hand", UNAVAILABLE, IDLE, OUTDATED, recovery=RECOVERY):
            until(
                lambda: installation.ask(next(iter(installation.sentinels)), "FAILOVER", NAME) is not None,
                "a sentinel does as it is told")
            until(lambda: installation.primary() not in (None, second), "another is the primary")
        crowd.come(20, seconds=0.5)
        crowd.all_have("ready", sized(40, 120))
