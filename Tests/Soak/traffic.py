"""A day at a waiting room in a few minutes: visitors, a desk, owners, and those who send what nobody should."""

import http.client
import json
import random
import secrets
import socket
import struct
import threading
import time
import urllib.parse

from service import Answer

VISITORS = 6  # threads; a machine is shared with the service that they visit


class Traffic:
    """Goes on for a while. What was answered is counted by status; a 5xx or a fault of ours is an error."""

    def __init__(self, service, site):
        self.service, self.site = service, site
        self.hosts = [address.removeprefix("http://") for address in service.gateways]
        self.shop = service.make_application(callback_url=f"{site.address}/ok")
        self.queues = [
            service.make_queue(self.shop, name="Fast", max_users_per_minute=60_000, wait_ttl_seconds=2, session_seconds=1),
            service.make_queue(self.shop, name="Slow", max_users_per_minute=600, wait_ttl_seconds=2, session_seconds=1),
            service.make_queue(self.shop, name="By hand", wait_ttl_seconds=1, session_seconds=1),
        ]
        self.office = f"office-{secrets.token_hex(4)}"
        self.keys = {
            name: service.call("POST", f"/api/{self.office}/queues", {"queue_id": name, "name": name})["admin_key"]
            for name in ("in", "out")
        }
        self.types = [
            service.call("POST", f"/api/{self.office}/in/service-types", {"code": code, "name": code}, self.desk_key("in"))["id"]
            for code in "AB"
        ]
        self.statuses, self.errors, self.lock = {}, [], threading.Lock()

    def run(self, seconds):
        """Returns how many requests were answered."""
        before = sum(self.statuses.values())
        end = time.monotonic() + seconds
        work = [self.visit] * VISITORS + [self.stand_in_line, self.abuse, self.abuse, self.own]
        threads = [threading.Thread(target=self.repeat, args=(each, end), daemon=True) for each in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds + 60)
            assert not thread.is_alive(), "a client hangs"
        assert not self.errors, self.errors[:5]
        self.empty_the_lines()
        return sum(self.statuses.values()) - before

    def repeat(self, work, end):
        connections = [http.client.HTTPConnection(host, timeout=20) for host in self.hosts]
        try:
            while time.monotonic() < end and not self.errors:
                work(random.choice(connections))
        except Exception as error:
            self.errors.append(f"{work.__name__}: {error!r}")
        finally:
            for connection in connections:
                connection.close()

    # One request.

    def send(self, connection, method, path, body=None, headers=None):
        headers = {"X-Forwarded-For": self.address()} | (headers or {})
        if body is not None and not isinstance(body, bytes):
            body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        for attempt in (1, 2):
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
                # The server closed it after something that abuse has sent.
                connection.close()
                if attempt == 2:
                    raise
        with self.lock:
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status >= 500:
            self.errors.append(f"{method} {path}: {answer.status} {text[:200]}")
        return answer.status, text

    @staticmethod
    def address():
        return f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"

    def api(self, connection, method, path, body=None):
        status, text = self.send(connection, method, path, body, {"Authorization": f"Bearer {self.service.token}"})
        return json.loads(text) if status < 300 and text[:1] in (b"{", b"[") else None

    def desk_key(self, queue):
        return {"X-Admin-Key": self.keys[queue]}

    # Who comes.

    def visit(self, connection):
        queue = random.choice(self.queues)
        headers = {"X-API-Key": self.shop["api_key"]}
        if random.random() < 0.3:
            headers["Idempotency-Key"] = secrets.token_urlsafe(24)
        body = {"queue_id": queue.id, "visitor_id": secrets.token_hex(8)}
        for _ in range(random.choice((1, 1, 2)) if "Idempotency-Key" in headers else 1):
            status, text = self.send(connection, "POST", "/join", body, headers)
        token = json.loads(text)["token"] if status == 200 else "none"
        for _ in range(random.randrange(4)):
            self.send(connection, "GET", f"/queue_status?{urllib.parse.urlencode({'token': token})}")
            time.sleep(random.uniform(0, 0.05))
        if random.random() < 0.3:
            self.send(connection, "POST", "/cancel", {"token": token})

    def stand_in_line(self, connection):
        """Joins by name, and what a desk does about it."""
        base = f"/api/{self.office}/in/"
        headers = self.desk_key("in")
        for number in range(random.randrange(1, 4)):
            self.send(connection, "POST", base + "join", {"name": f"Guest {number}", "service_type_id": random.choice(self.types + [None])})
        desk = {"desk": f"Desk {random.randrange(9)}"}
        self.send(connection, "POST", base + "call-next", desk, headers)
        step = random.choice(["serve", "no-show", "recall", "return", "undo", "transfer"])
        where = {"queue_id": "out"} if random.random() < 0.5 else {"service_type_id": random.choice(self.types)}
        self.send(connection, "POST", base + step, desk | (where if step == "transfer" else {}), headers)
        self.send(connection, "GET", base + random.choice(["list", "calls", "today", "events"]), None, headers)
        for name in ("in", "out"):
            self.send(connection, "POST", f"/api/{self.office}/{name}/serve-next", {"desk": "1"}, self.desk_key(name))

    def own(self, connection):
        """An application with its queues, accounts and callbacks that fail, from its making to its end."""
        made = self.api(connection, "POST", "/applications/", {
            "name": "Brief", "domain": "127.0.0.1", "callback_url": self.site.address + random.choice(["/fails", "/gone", "/hangs-up", "/slow"])})
        queue = self.api(connection, "POST", "/queues/", {"application_id": made["id"], "name": "Brief", "max_users_per_minute": 6000})
        path = f"/queues/{queue['id']}"
        for _ in range(5):
            self.send(connection, "POST", "/join", {"queue_id": queue["id"], "visitor_id": secrets.token_hex(4)}, {"X-API-Key": made["api_key"]})
        self.api(connection, "PUT", path, {"max_users_per_minute": 12_000, "message": "Soon"})
        time.sleep(0.7)
        for found in self.api(connection, "GET", f"/callbacks?queue_id={queue['id']}") or []:
            self.api(connection, "POST", f"/callbacks/{found['id']}/resend")
        for page in ("/dashboard/queue_stats", "/dashboard/summary", f"/queue_users?queue_id={queue['id']}", "/audit", "/users/", f"/wait/{queue['id']}", "/admin"):
            self.api(connection, "GET", page)
        self.api(connection, "POST", f"/applications/{made['id']}/rotate_keys", {"grace_seconds": 60})
        email = f"{secrets.token_hex(4)}@brief.example"
        user = self.api(connection, "POST", "/users/", {
            "email": email, "password": "a long enough password", "role": "viewer", "application_id": made["id"]})
        status, text = self.send(connection, "POST", "/auth/login", urllib.parse.urlencode(
            {"username": email, "password": "a long enough password"}).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
        if status == 200:
            self.send(connection, "POST", "/auth/logout", None, {"Authorization": "Bearer " + json.loads(text)["access_token"]})
        self.api(connection, "DELETE", f"/users/{user['id']}")
        if random.random() < 0.5:
            self.api(connection, "DELETE", path)
        self.api(connection, "DELETE", f"/applications/{made['id']}")

    def abuse(self, connection):
        """Each request is refused with a 4xx, or has nobody who waits for its answer."""
        queue, key = random.choice(self.queues).id, self.shop["api_key"]
        token = secrets.token_urlsafe(random.choice([1, 60, 120, 1000]))
        choice = random.randrange(12)
        if choice == 0:
            self.send(connection, "GET", f"/queue_status?token={token}")
        elif choice == 1:
            self.send(connection, "POST", "/join", {"queue_id": queue, "visitor_id": "v"}, {"X-API-Key": "pk_" + secrets.token_urlsafe(34)[:46]})
        elif choice == 2:
            self.send(connection, "POST", "/join", {"queue_id": secrets.token_hex(16), "visitor_id": "v"}, {"X-API-Key": key})
        elif choice == 3:
            self.send(connection, "POST", "/join", secrets.token_bytes(200), {"X-API-Key": key, "Content-Type": "application/json"})
        elif choice == 4:
            self.send(connection, "POST", "/join", b"[" * 4000, {"X-API-Key": key, "Content-Type": "application/json"})
        elif choice == 5:
            self.send(connection, random.choice(["GET", "PUT", "BREW", "DELETE"]), "/" + secrets.token_hex(8))
        elif choice == 6:
            self.send(connection, "GET", f"/api/{self.office}/{secrets.token_hex(4)}/list")
        elif choice == 7:
            self.send(connection, "GET", "/queues/", None, {"Authorization": "Bearer " + token})
        elif choice == 8:
            self.send(connection, "POST", f"/api/{self.office}/in/call-next", {"desk": token[:40]}, {"X-Admin-Key": token})
        elif choice == 9 and random.random() < 0.1:
            # Ten a minute are a try; each costs a tenth of a second of scrypt.
            self.send(connection, "POST", "/auth/login", urllib.parse.urlencode({"username": "x{y}@z", "password": token}).encode(),
                      {"Content-Type": "application/x-www-form-urlencoded"})
        else:
            self.break_off(random.choice(self.hosts), queue, key)
        time.sleep(0.01)

    def break_off(self, host, queue, key):
        """A connection that ends in the middle: of the header, of the body, before or in the answer, with and without a goodbye."""
        body = json.dumps({"queue_id": queue, "visitor_id": secrets.token_hex(4), "name": "v", "token": "t"})
        path = random.choice(["/join", "/cancel", f"/api/{self.office}/in/join"])
        request = (f"POST {path} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n{body}")
        several = request * random.randrange(1, 5) + "GET /wait/x HTTP/1.1\r\n"
        with socket.create_connection(host.split(":"), timeout=5) as line:
            line.sendall(several[:random.randrange(len(several))].encode())
            if random.random() < 0.3:
                line.settimeout(0.05)
                try:
                    line.recv(random.randrange(1, 200))
                except TimeoutError:
                    pass
            if random.random() < 0.5:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets the connection

    def empty_the_lines(self):
        """Those who joined by name do not fall silent: a desk serves them."""
        for name in ("in", "out"):
            while "served" in self.service.call("POST", f"/api/{self.office}/{name}/serve-next", {"desk": "1"}, self.desk_key(name)):
                pass

    def leave(self):
        """Takes back what was made for the traffic."""
        try:
            self.service.call("DELETE", f"/applications/{self.shop['id']}")
        except Answer as refusal:
            assert refusal.status == 404
