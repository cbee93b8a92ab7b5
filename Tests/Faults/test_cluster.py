"""A Redis Cluster whose slots move and whose primaries die, while visitors come and poll."""

import time

import pytest

from clustered import Clustered
from deadline import until
from history import IDLE, OUTDATED, UNAVAILABLE
from installation import REBUILD_SECONDS
from rig import SEED, Rig, begin
from soak import sized

RATE = 1200
RECOVERY = REBUILD_SECONDS + 4


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    yield from begin(Rig(Clustered(tmp_path_factory.mktemp("clustered")), SEED))


def test_slots_move_under_visitors(rig):
    """The slot of the queue and those of the catalogue: nobody notices."""
    installation = rig.installation
    with rig.crowd(RATE) as crowd:
        slots = [installation.slot(crowd.queue), installation.store.execute_command("CLUSTER KEYSLOT", "{catalogue}")]
        crowd.come(sized(60, 300), seconds=sized(2, 10))
        for _ in range(sized(2, 10)):
            for slot in slots:
                owner = installation.owner(slot)
                installation.move(slot, next(port for port in installation.primaries() if port != owner))
                time.sleep(0.3)
        crowd.come(20, seconds=0.5)
        crowd.all_have("ready", sized(30, 120))


def test_a_primary_dies_and_its_replica_takes_over(rig):
    installation = rig.installation
    with rig.crowd(RATE) as crowd:
        for _ in range(sized(1, 4)):
            crowd.come(sized(60, 200), seconds=1)
            slot = installation.slot(crowd.queue)
            dying = installation.owner(slot)
            with crowd.history.outage("a primary killed", UNAVAILABLE, IDLE, OUTDATED, recovery=RECOVERY):
                installation.by_port[dying].kill()
                until(lambda: installation.owner(slot) != dying, "the replica has taken over")
            crowd.come(20, seconds=0.5)
            time.sleep(RECOVERY)
            installation.settle()
            installation.until_whole()
        crowd.all_have("ready", sized(40, 120))
