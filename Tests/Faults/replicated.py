"""An installation over a primary with two replicas, and three sentinels that watch over them."""

import redis

from deadline import until
from installation import Installation, Program
from service import free_port

NAME = "main"


class Replicated(Installation):
    def __init__(self, folder, **variables):
        super().__init__(folder, gateways=2, workers=2, **variables)
        first, *others = ports = [free_port() for _ in range(3)]
        self.by_port = {port: self.make_server(port) for port in ports}
        for port in others:
            self.by_port[port].command += ["--replicaof", "127.0.0.1", str(first)]
        self.sentinels = {free_port(): None for _ in range(3)}
        for port in self.sentinels:
            self.sentinels[port] = self.make_sentinel(port, first)
        self.server = self.by_port[first]
        self.servers = [*self.by_port.values(), *self.sentinels.values()]
        self.store = redis.Redis(port=first, decode_responses=True, retry=None)
        self.redis_url = f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in self.sentinels)}/{NAME}"

    def make_server(self, port):
        folder = self.folder / f"redis-{port}"
        folder.mkdir()
        address = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        settings = ["--save", "", "--repl-diskless-sync-delay", "0", "--appendonly", "yes"]
        return Program(self.folder, folder.name, ["redis-server", *address, *settings])

    def make_sentinel(self, port, primary):
        """One that takes half a second of silence for death."""
        file = self.folder / f"sentinel-{port}.conf"
        file.write_text(f"""port {port}
bind 127.0.0.1
dir {self.folder}
sentinel monitor {NAME} 127.0.0.1 {primary} 2
sentinel down-after-milliseconds {NAME} 500
sentinel failover-timeout {NAME} 3000
""")
        return Program(self.folder, file.stem, ["redis-server", str(file), "--sentinel"])

    def start_redis(self):
        for server in self.by_port.values():
            server.start()
        self.answers()
        until(lambda: self.store.info("replication")["connected_slaves"] == 2, "the replicas follow")
        for sentinel in self.sentinels.values():
            sentinel.start()
        until(self.is_watched, "the sentinels know all")

    def is_watched(self):
        known = [self.ask(port, "MASTER", NAME) for port in self.sentinels]
        return all(one and (int(one["num-slaves"]), int(one["num-other-sentinels"])) == (2, 2) for one in known)

    def ask(self, sentinel, *words):
        """What a sentinel answers; nothing while it cannot be asked."""
        try:
            with redis.Redis(port=sentinel, decode_responses=True, retry=None) as client:
                reply = client.execute_command("SENTINEL", *words)
        except redis.RedisError:
            return None
        # As a dictionary or a list, by the version of the client.
        return reply if isinstance(reply, dict) or words[0] != "MASTER" else dict(zip(reply[::2], reply[1::2]))

    def primary(self):
        """The port of the server that every sentinel takes for the primary; nothing while they do not agree."""
        named = {tuple(self.ask(port, "GET-MASTER-ADDR-BY-NAME", NAME) or ()) for port in self.sentinels}
        return int(named.pop()[1]) if len(named) == 1 and () not in named else None
