"""An installation over a Redis Cluster of three primaries with a replica each."""

import subprocess

import redis

from deadline import until
from installation import Installation, Program
from service import free_port


class Clustered(Installation):
    def __init__(self, folder, **variables):
        super().__init__(folder, gateways=2, workers=2, **variables)
        self.by_port = {}
        for port in [free_port() for _ in range(6)]:
            self.by_port[port] = self.make_server(port)
        self.servers = list(self.by_port.values())
        first = next(iter(self.by_port))
        self.server = self.by_port[first]
        self.store = self.client(first)
        self.redis_url = f"redis+cluster://{','.join(f'127.0.0.1:{port}' for port in self.by_port)}"

    def make_server(self, port):
        """One that takes a second of silence for death."""
        folder = self.folder / f"redis-{port}"
        folder.mkdir()
        address = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        settings = ["--save", "", "--repl-diskless-sync-delay", "0", "--appendonly", "yes"]
        cluster = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-allow-replica-migration", "no"]
        return Program(self.folder, folder.name, ["redis-server", *address, *settings, *cluster])

    def start_redis(self):
        for server in self.servers:
            server.start()
        until(lambda: all(self.ask(port, "PING") for port in self.by_port), "the servers answer")
        addresses = [f"127.0.0.1:{port}" for port in self.by_port]
        subprocess.run(
            ["redis-cli", "--cluster", "create", *addresses, "--cluster-replicas", "1", "--cluster-yes"], check=True,
            stdout=subprocess.DEVNULL)
        self.until_whole()

    def until_whole(self):
        """Waits until every server sees all slots served, and every primary has a replica."""
        until(lambda: all(self.is_whole(port) for port in self.by_port), "the cluster is whole", seconds=60)

    def is_whole(self, port):
        info, replication = self.ask(port, "CLUSTER INFO"), self.ask(port, "INFO", "replication")
        if not info or not replication or info["cluster_state"] != "ok":
            return False
        if replication["role"] == "master":
            return replication.get("slave0", {}).get("state") == "online"
        return replication["master_link_status"] == "up"

    def client(self, port):
        client = redis.Redis(port=port, decode_responses=True, retry=None)
        # As it comes.
        client.set_response_callback("CLUSTER SLOTS", lambda reply, **_: reply)
        return client

    def ask(self, port, *words):
        """What one server answers; nothing while it does not."""
        try:
            with self.client(port) as client:
                return client.execute_command(*words)
        except redis.ConnectionError:
            return None

    def slot(self, queue):
        return self.store.execute_command("CLUSTER KEYSLOT", queue.key("settings"))

    def owner(self, slot):
        """The port of the primary that has a slot."""
        for port in self.by_port:
            for first, last, primary, *_ in self.ask(port, "CLUSTER SLOTS") or []:
                if first <= slot <= last:
                    return primary[1]
        raise AssertionError(f"nobody has slot {slot}")

    def primaries(self):
        return [port for port in self.by_port if (self.ask(port, "ROLE") or [None])[0] == "master"]

    def move(self, slot, to):
        """Moves a slot as redis-cli does it, a key at a time."""
        source = self.owner(slot)
        names = {port: self.ask(port, "CLUSTER MYID") for port in (source, to)}
        self.ask(to, "CLUSTER SETSLOT", slot, "IMPORTING", names[source])
        self.ask(source, "CLUSTER SETSLOT", slot, "MIGRATING", names[to])
        while keys := self.ask(source, "CLUSTER GETKEYSINSLOT", slot, 1):
            self.ask(source, "MIGRATE", "127.0.0.1", to, "", 0, 5000, "KEYS", *keys)
        for port in dict.fromkeys([to, source, *self.primaries()]):
            self.ask(port, "CLUSTER SETSLOT", slot, "NODE", names[to])
