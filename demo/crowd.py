#!/usr/bin/env python3
"""A crowd for a waiting room: visitors who join and wait their turn, so that a line is there to see and moves.

    crowd.py --gateway http://127.0.0.1:8080 --api-key KEY --queue QUEUE_ID --visitors 50

Ends when everyone was let in, after --minutes, or with Ctrl-C (the rest then leave the line).
"""

import argparse
import heapq
import json
import random
import signal
import secrets
import sys
import time
import urllib.error
import urllib.request

MOST_VISITORS = 1000


class Gateway:
    def __init__(self, address, api_key):
        self.address, self.api_key = address.rstrip("/"), api_key

    def call(self, path, body=None, headers=None):
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"} | (headers or {}))
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def join(self, queue):
        headers = {"X-API-Key": self.api_key, "Idempotency-Key": secrets.token_hex(16)}
        return self.call("/join", {"queue_id": queue, "visitor_id": f"crowd-{secrets.token_hex(6)}"}, headers)

    def status(self, token):
        return self.call(f"/queue_status?token={token}")

    def leave(self, token):
        self.call("/cancel", {"token": token})


def wait_turns(gateway, tokens, until):
    """Polls each visitor as often as the server wishes, and says how the line moves. Empties `tokens`."""
    due = [(time.monotonic() + random.uniform(0, 5), token) for token in tokens]
    heapq.heapify(due)
    released = 0
    while due and time.monotonic() < until:
        when, token = heapq.heappop(due)
        time.sleep(max(0, when - time.monotonic()))
        try:
            entry = gateway.status(token)
            pause = entry["poll_after_ms"] / 1000
        except OSError as problem:
            gone = isinstance(problem, urllib.error.HTTPError) and problem.code == 404
            entry, pause = {"status": "gone" if gone else "waiting"}, 5
        if entry["status"] == "waiting":
            heapq.heappush(due, (time.monotonic() + pause * random.uniform(1, 1.2), token))
            continue
        tokens.discard(token)
        released += entry["status"] == "ready"
        print(f"{released} let in, {len(tokens)} still wait", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", default="http://127.0.0.1:8080", help="address of the waiting room (http://127.0.0.1:8080)")
    parser.add_argument("--api-key", required=True, help="the application's api key")
    parser.add_argument("--queue", required=True, help="id of the queue")
    parser.add_argument("--visitors", type=int, default=50, help=f"how many come (50, at most {MOST_VISITORS})")
    parser.add_argument("--minutes", type=float, default=30, help="how long they stay at most (30)")
    options = parser.parse_args()
    if not 0 < options.visitors <= MOST_VISITORS:
        parser.error(f"--visitors is 1 to {MOST_VISITORS}")
    # Leaves the line however it is ended, also in the background, where Ctrl-C is ignored.
    for ending in [signal.SIGINT, signal.SIGTERM]:
        signal.signal(ending, signal.default_int_handler)
    gateway = Gateway(options.gateway, options.api_key)
    tokens = set()
    try:
        for _ in range(options.visitors):
            tokens.add(gateway.join(options.queue)["token"])
        print(f"{len(tokens)} visitors stand in line", flush=True)
        wait_turns(gateway, tokens, time.monotonic() + options.minutes * 60)
    except urllib.error.HTTPError as problem:
        sys.exit(f"crowd: the waiting room answered {problem.code}: {problem.read().decode(errors='replace')}")
    except OSError as problem:
        sys.exit(f"crowd: no contact with {options.gateway}: {problem}")
    except KeyboardInterrupt:
        print(f"\n{len(tokens)} leave the line", flush=True)
        for token in tokens:
            try:
                gateway.leave(token)
            except OSError:
                continue


if __name__ == "__main__":
    main()
