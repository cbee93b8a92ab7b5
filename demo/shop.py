#!/usr/bin/env python3
"""A small shop behind a waiting room: how a website uses Anteroom, in one file and with Python's standard library only.

    shop.py --port 8090 --gateway http://127.0.0.1:8080 --queue QUEUE_ID --secret-file FILE

A visitor who wants to buy and was not let in yet is sent to the waiting page, under a random id that only this visitor's
cookie holds. When it is the visitor's turn, the service calls POST /callback with a signed message, and /checkout opens.
"""

import argparse
import base64
import collections
import hashlib
import hmac
import http.cookies
import http.server
import json
import pathlib
import secrets
import sys
import threading
import time
import urllib.parse

FILES = pathlib.Path(__file__).resolve().parent
COOKIE = "shop_visitor"
CLOCK_TOLERANCE = 300  # seconds between a message's timestamp and now; the Standard Webhooks recommendation
LARGEST_BODY = 64 * 1024
ADMITTED_FOR = 600  # seconds that the checkout stays open for a visitor


class BadSignature(Exception):
    """A message that the waiting room did not send."""


def signing_key(secret):
    """The key bytes of a secret: `whsec_` and base64, as Standard Webhooks writes it, else the text itself."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret.removeprefix("whsec_"))
    return secret.encode()


def verify(key, headers, body, now):
    """Checks a message as https://www.standardwebhooks.com describes it, and returns its id. Raises `BadSignature`."""
    identifier, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identifier or not stamp.isascii() or not stamp.isdigit() or abs(now - int(stamp)) > CLOCK_TOLERANCE:
        raise BadSignature("no id, or a timestamp that is missing, malformed or old")
    signed = f"{identifier}.{stamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    offered = headers.get("webhook-signature", "").encode().split()
    if not any(hmac.compare_digest(expected, each) for each in offered):
        raise BadSignature("no signature of ours")
    return identifier


class Door:
    """Who was let in. A message that comes twice counts once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = collections.OrderedDict()  # message id → None, the oldest first
        self.admitted = collections.OrderedDict()  # visitor id → when, the oldest first
        self.recent = collections.deque()  # times of the last minute
        self.last = collections.deque(maxlen=12)
        self.total = 0

    def admit(self, message, callback, now):
        """Lets the visitor of a callback in. False when the message came before."""
        with self.lock:
            if message in self.seen:
                return False
            self.seen[message] = None
            if len(self.seen) > 100_000:
                self.seen.popitem(last=False)
            visitor = str(callback["visitor_id"])
            self.admitted[visitor] = now
            self.admitted.move_to_end(visitor)
            self.forget(now)
            self.recent.append(now)
            self.last.appendleft({"at": int(now * 1000), "visitor": visitor[:6], "waited": callback.get("wait_time")})
            self.total += 1
            return True

    def is_open_for(self, visitor, now):
        with self.lock:
            return bool(visitor) and now - self.admitted.get(visitor, 0) < ADMITTED_FOR

    def board(self, now):
        with self.lock:
            self.forget(now)
            return {"admitted": self.total, "inside": len(self.admitted), "per_minute": len(self.recent), "last": list(self.last)}

    def forget(self, now):
        while self.recent and now - self.recent[0] > 60:
            self.recent.popleft()
        while self.admitted and now - next(iter(self.admitted.values())) > ADMITTED_FOR:
            self.admitted.popitem(last=False)


class Shop(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options):
        super().__init__((options.host, options.port), Handler)
        self.options = options
        self.key = signing_key(pathlib.Path(options.secret_file).read_text().strip())
        self.address = (options.public_url or f"http://{options.host}:{self.server_port}").rstrip("/")
        self.door = Door()
        self.pages = {name: (FILES / f"{name}.html").read_bytes() for name in ("product", "moment", "checkout", "board")}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/":
            self.send(200, self.server.pages["product"])
        elif path == "/checkout":
            self.checkout()
        elif path == "/board":
            self.send(200, self.server.pages["board"])
        elif path == "/board.json":
            self.send(200, json.dumps(self.server.door.board(time.time())).encode(), "application/json")
        elif path == "/shop.css":
            self.send(200, (FILES / "shop.css").read_bytes(), "text/css; charset=utf-8")
        else:
            self.send(404, b"Not here.\n", "text/plain")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            return self.send(413, b"", "text/plain")
        body = self.rfile.read(int(length))
        if urllib.parse.urlsplit(self.path).path != "/callback":
            return self.send(404, b"Not here.\n", "text/plain")
        self.callback(body)

    def callback(self, body):
        now = time.time()
        try:
            message = verify(self.server.key, self.headers, body, now)
            self.server.door.admit(message, json.loads(body), now)
        except BadSignature as problem:
            return self.send(401, f"{problem}\n".encode(), "text/plain")
        except (ValueError, KeyError, TypeError):
            return self.send(400, b"A signed message of an unknown form.\n", "text/plain")
        self.send(204, b"")

    def checkout(self):
        """The guarded page: open after the callback, a short wait just before it, else the waiting room."""
        cookies = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        visitor = cookies[COOKIE].value if COOKIE in cookies else None
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        if self.server.door.is_open_for(visitor, time.time()):
            return self.send(200, self.server.pages["checkout"])
        if visitor and "turn" in query:
            # Back from the waiting room, and the callback may be a moment behind the browser.
            return self.wait_for_callback(query)
        self.send_to_waiting_room(visitor or secrets.token_urlsafe(24))

    def wait_for_callback(self, query):
        tries = query["turn"][0]
        tries = int(tries) if tries.isascii() and tries.isdigit() and len(tries) < 3 else 0
        if tries >= 10:
            return self.redirect("/")
        self.send(200, self.server.pages["moment"], headers={"Refresh": f"1; url=/checkout?turn={tries + 1}"})

    def send_to_waiting_room(self, visitor):
        options = self.server.options
        query = urllib.parse.urlencode({"return_to": f"{self.server.address}/checkout?turn=0", "visitor_id": visitor})
        cookie = f"{COOKIE}={visitor}; Path=/; HttpOnly; SameSite=Lax; Max-Age=86400"
        self.redirect(f"{options.gateway.rstrip('/')}/wait/{urllib.parse.quote(options.queue)}?{query}", {"Set-Cookie": cookie})

    def redirect(self, address, headers=None):
        self.send(303, b"", headers={"Location": address} | (headers or {}))

    def send(self, status, body, kind="text/html; charset=utf-8", headers=None):
        self.send_response(status)
        if body:
            self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_request(self, code="-", size="-"):
        if self.server.options.verbose:
            # Without the query: it may name a visitor.
            print(self.requestline.split("?")[0], int(code), file=sys.stderr, flush=True)

    def log_message(self, *arguments):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8090, help="port to listen on (8090)")
    parser.add_argument("--public-url", help="address that browsers use (http://HOST:PORT)")
    parser.add_argument("--gateway", default="http://127.0.0.1:8080", help="address of the waiting room (http://127.0.0.1:8080)")
    parser.add_argument("--queue", required=True, help="id of the queue")
    parser.add_argument("--secret-file", required=True, help="file that holds the application's secret key")
    parser.add_argument("--verbose", action="store_true", help="log a line for each request")
    options = parser.parse_args()
    try:
        shop = Shop(options)
    except (OSError, ValueError) as problem:
        sys.exit(f"shop: cannot start: {problem}")
    print(f"The shop is open at {shop.address}/", flush=True)
    try:
        shop.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
