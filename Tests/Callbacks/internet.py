"""An internet of one's own: a network namespace in which every address, public or not, leads to one web site, and a name server that may
change its mind. Both write down all that they were asked.

Run as a program, `internet.py <folder>`, it is that site and that name server."""

import collections
import http.server
import ipaddress
import json
import os
import pathlib
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading

from deadline import until

# As iproute2 has it: packets to any address are taken for the machine's own.
SETUP = """
ip link set lo up
ip route add local 0.0.0.0/0 dev lo
ip -6 route add local ::/0 dev lo
mount --bind resolv.conf /etc/resolv.conf
mount --bind ca.pem /etc/ssl/certs/ca-certificates.crt
exec "$@"
"""


def is_possible():
    return subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True).returncode == 0


class Internet:
    """`zone`: by name `addresses`, a list for each lookup to come (the last one stays; `None`: no answer at all), and `answers` of the site
    under that name, each a status or a status and a location (200 after that). `authority` is trusted there; `certificates` are what the
    site shows by name."""

    def __init__(self, folder, zone, authority, certificates):
        folder = pathlib.Path(folder)
        authority.cert_pem.write_to_path(folder / "ca.pem")
        for name, certificate in certificates.items():
            certificate.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
        self.journal = folder / "journal"
        self.journal.touch()
        (folder / "zone").write_text(json.dumps(zone))
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:20 attempts:1\n")
        self.child = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-ec", SETUP, "sh", sys.executable, __file__, "."],
            cwd=folder, env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path)})
        until(lambda: self.seen("begin"), "the internet")

    def entering(self, command):
        """The command that runs `command` there."""
        return ["nsenter", f"--target={self.child.pid}", "--net", "--mount", *command]

    def seen(self, kind):
        events = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [event for event in events if event["kind"] == kind]

    def lookups(self, name):
        return sum(1 for event in self.seen("lookup") if event["name"] == name and event["type"] == "A")

    def calls(self, name):
        """The addresses at which the site was asked for under a name."""
        return [event["address"] for event in self.seen("call") if event["host"] == name]

    def stop(self):
        self.child.kill()
        self.child.wait()


class Journal:
    def __init__(self, path):
        self.file = open(path, "a", buffering=1)
        self.lock = threading.Lock()

    def write(self, kind, **event):
        with self.lock:
            self.file.write(json.dumps({"kind": kind} | event) + "\n")


class NameServer(socketserver.ThreadingUDPServer):
    """Answers as RFC 1035 has it, as far as a resolver asks."""

    TYPES = {1: "A", 28: "AAAA"}

    def __init__(self, zone, journal):
        super().__init__(("127.0.0.1", 53), None)
        self.zone, self.journal = zone, journal
        self.asked = collections.Counter()

    def finish_request(self, request, client):
        packet, answering = request
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
            at += 1 + packet[at]
        question = packet[12 : at + 5]
        name, kind = ".".join(labels).lower(), self.TYPES.get(packet[at + 2])
        self.journal.write("lookup", name=name, type=kind)
        addresses = self.addresses(name, kind)
        if addresses is None:
            return
        records = b"".join(struct.pack("!HHHIH", 0xC00C, 1 if len(raw) == 4 else 28, 1, 0, len(raw)) + raw for raw in addresses)
        flags = 0x8180 if name in self.zone else 0x8183
        answering.sendto(packet[:2] + struct.pack("!HHHHH", flags, 1, len(addresses), 0, 0) + question + records, client)

    def addresses(self, name, kind):
        rounds = self.zone.get(name, {"addresses": [[]]})["addresses"]
        number = min(self.asked[name, kind], len(rounds) - 1)
        self.asked[name, kind] += 1
        if rounds[number] is None:
            return None
        return [address.packed for address in map(ipaddress.ip_address, rounds[number]) if {4: "A", 6: "AAAA"}[address.version] == kind]


class Site(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    context = None

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def get_request(self):
        connection, client = super().get_request()
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, client

    def handle_error(self, request, client):
        """A handshake that the other side ended."""

    def verify_request(self, request, client):
        """Also one who comes and says nothing is seen."""
        self.journal.write("connection", address=address(request))
        return True


def address(connection):
    # An IPv4 address comes as one that is mapped; one that was asked for in that form does so too, and is as bad.
    return connection.getsockname()[0].removeprefix("::ffff:")


def certificate_by_name(folder):
    """A context that shows each name's own."""
    contexts = {}
    for file in folder.glob("*.test.pem"):
        contexts[file.stem] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        contexts[file.stem].load_cert_chain(file)

    def choose(connection, name, _):
        connection.context = contexts[name]

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.sni_callback = choose
    return context


def run(folder):
    folder = pathlib.Path(folder)
    journal = Journal(folder / "journal")
    zone = json.loads((folder / "zone").read_text())
    asked = collections.Counter()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            host = self.headers["Host"]
            journal.write("call", address=address(self.connection), host=host, path=self.path)
            answers = zone.get(host, {}).get("answers", [])
            answer = answers[asked[host]] if asked[host] < len(answers) else 200
            asked[host] += 1
            status, location = answer if isinstance(answer, list) else (answer, None)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    for port, context in [(80, None), (443, certificate_by_name(folder))]:
        site = Site(("::", port), Handler)
        site.journal, site.context = journal, context
        threading.Thread(target=site.serve_forever, daemon=True).start()
    names = NameServer(zone, journal)
    journal.write("begin")
    names.serve_forever()


if __name__ == "__main__":
    run(*sys.argv[1:])
