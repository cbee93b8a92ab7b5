"""What Redis keeps of what it has acknowledged, by its settings: the table in docs/guarantees.md, measured. Long form only."""

import threading
import time

import pytest
import redis

from deadline import until
from installation import Program
from loop import Loop
from proxy import Proxy
from service import free_port
from soak import LONG

pytestmark = pytest.mark.skipif(not LONG, reason="a measurement of Redis alone: make soak")


class Server:
    def __init__(self, folder, *settings):
        folder.mkdir()
        self.socket = folder / "redis.sock"
        self.port = free_port()
        address = ["--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", ""]
        self.program = Program(folder, "redis", ["redis-server", *address, *settings])
        self.client = redis.Redis(unix_socket_path=str(self.socket), decode_responses=True, retry=None)

    def start(self):
        self.program.start()
        until(self.answers, "Redis answers")

    def answers(self):
        try:
            return self.client.ping()
        except redis.RedisError:
            return False

    def kept(self):
        return int(self.client.get("written") or 0)


class Writer:
    """Writes 1, 2, 3, … until Redis does not take one any more."""

    def __init__(self, client, copies=0):
        """With `copies` each is written only once so many replicas have it."""
        self.client, self.copies = client, copies
        self.acknowledged = []  # (number, when)
        self.thread = threading.Thread(target=self.write)
        self.thread.start()

    def write(self):
        number = 0
        try:
            while True:
                number += 1
                self.client.set("written", number)
                if self.copies and self.client.execute_command("WAIT", self.copies, 1000) < self.copies:
                    return
                self.acknowledged.append((number, time.monotonic()))
        except redis.RedisError:
            return

    def lost(self, kept):
        """How many acknowledged numbers are gone, and the seconds that they took to write."""
        self.thread.join()
        gone = [when for number, when in self.acknowledged if number > kept]
        return len(gone), gone[-1] - gone[0] if gone else 0.0


@pytest.mark.parametrize("fsync", [None, "everysec", "always"])
def test_killed(tmp_path, fsync):
    settings = ["--appendonly", "yes", "--appendfsync", fsync] if fsync else ["--appendonly", "no"]
    server = Server(tmp_path / "redis", *settings)
    server.start()
    writer = Writer(server.client)
    time.sleep(2.5)
    server.program.kill()
    server.start()
    lost, seconds = writer.lost(server.kept())
    server.program.end()
    print(f"killed, {fsync or 'no append-only file'}: {lost} of {len(writer.acknowledged)} lost, {seconds:.2f} s")
    assert lost == (0 if fsync else len(writer.acknowledged))


@pytest.mark.parametrize("copies, settings", [(0, []), (0, ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "1"]), (1, [])])
def test_failed_over(tmp_path, copies, settings):
    """The primary dies 4 s after its replica was cut off from it, and the replica takes over."""
    loop = Loop()
    primary, replica = Server(tmp_path / "primary", *settings), Server(tmp_path / "replica", "--repl-diskless-sync-delay", "0")
    primary.start()
    replica.start()
    primary.client.config_set("repl-diskless-sync-delay", 0)
    primary.client.config_set("repl-ping-replica-period", 1)
    proxy = Proxy(loop, str(primary.socket), "failover")
    replica.client.replicaof("127.0.0.1", proxy.port)
    until(lambda: replica.client.info("replication")["master_link_status"] == "up", "the replica follows")
    time.sleep(1.5)
    writer = Writer(primary.client, copies)
    time.sleep(1)
    with proxy.does(hangs=True):
        time.sleep(4)
        primary.program.kill()
        replica.client.replicaof("NO", "ONE")
    lost, seconds = writer.lost(replica.kept())
    replica.program.end()
    loop.stop()
    how = "WAIT 1" if copies else " ".join(settings) or "as it is"
    print(f"failed over, {how}: {lost} of {len(writer.acknowledged)} lost, {seconds:.2f} s")
    if copies:
        assert lost == 0
    elif settings:
        assert 0 < seconds < 3
    else:
        assert seconds > 3
