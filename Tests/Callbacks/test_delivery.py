"""Callbacks to endpoints that behave, and to those that do not."""

import json
import pathlib
import socket
import struct
import time
import urllib.request

import pytest
import standardwebhooks

from deadline import until
from endpoint import accept, status
from owed import Owed
from service import Service


# The form that anybody's library verifies


def test_a_public_library_verifies_what_arrives(service, endpoint):
    site = endpoint(status(500), accept)
    owed = Owed(service, site.url)
    assert owed.settled()["state"] == "delivered"
    webhook = standardwebhooks.Webhook(owed.application["secret_key"])
    first, second = site.calls
    for call in site.calls:
        told = webhook.verify(call.body, call.headers)
        assert told["entry_id"] == owed.entries[0] and told["status"] == "ready"
        assert list(told)[:6] == ["token", "visitor_id", "queue_id", "status", "wait_time", "redirect_url"]
    assert first.id == second.id == owed.callbacks()[0]["id"]
    assert first.headers["webhook-timestamp"] <= second.headers["webhook-timestamp"]
    for body, headers in [
        (first.body.replace(b"ready", b"reade"), first.headers), (first.body, first.headers | {"webhook-id": "msg_1"}),
        (first.body, first.headers | {"webhook-timestamp": str(int(first.headers["webhook-timestamp"]) + 1)}),
    ]:
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            webhook.verify(body, headers)


def test_while_keys_are_rotated_either_secret_verifies(service, endpoint):
    site = endpoint()
    owed = Owed(service, site.url, visitors=0)
    rotated = service.call("POST", f"/applications/{owed.application['id']}/rotate_keys", {"grace_seconds": 60})
    owed.queue.application = rotated
    owed.let_in()
    owed.settled()
    [call] = site.calls
    for secret in [owed.application["secret_key"], rotated["secret_key"]]:
        standardwebhooks.Webhook(secret).verify(call.body, call.headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook("whsec_" + "A" * 56).verify(call.body, call.headers)


# Endpoints that want no more, or none for now


def test_410_ends_the_callbacks_of_an_application_until_its_address_is_saved_again(service, endpoint):
    gone, other = endpoint(status(410)), endpoint()
    owed, bystander = Owed(service, gone.url), Owed(service, other.url)
    assert (owed.settled()["last_status"], owed.settled()["attempts"]) == (410, 1)

    owed.let_in(5)
    another_queue = service.make_queue(owed.application, name="Another", max_users_per_minute=60_000)
    another_queue.join("v")
    owed.all_settled()
    until(lambda: service.call("GET", f"/callbacks?queue_id={another_queue.id}&state=dead"), "the one of the other queue is given up")
    assert len(gone.calls) == 1
    reasons = [error["message"] + json.dumps(error["details"]) for error in owed.errors()]
    assert len(reasons) == 6 and sum("410 (Gone)" in reason and "callback_url" in reason for reason in reasons) == 5
    bystander.let_in(3)
    assert {callback["state"] for callback in bystander.all_settled()} == {"delivered"}

    gone.answers = other.answers
    service.call("PUT", f"/applications/{owed.application['id']}", {"name": "Renamed"})
    owed.let_in()
    owed.all_settled()
    assert len(gone.calls) == 1
    service.call("PUT", f"/applications/{owed.application['id']}", {"callback_url": gone.url})
    [entry] = owed.let_in()
    assert owed.all_settled()[0]["state"] == "delivered"
    assert [json.loads(call.body)["entry_id"] for call in gone.calls] == [owed.entries[0], entry]


def test_410_also_ends_when_one_is_sent_again_by_hand(service, endpoint):
    site = endpoint(status(410))
    owed = Owed(service, site.url)
    owed.settled()
    owed.let_in(2)
    assert len(owed.all_settled()) == 3 and len(site.calls) == 1
    # The site wants them still less: nothing is lost by trying.
    assert owed.resend() == 3
    owed.all_settled()
    assert 2 <= len(site.calls) <= 4 and len(owed.errors()) == 3
    site.answers = [accept]
    before = len(site.calls)
    assert owed.resend() == 3
    assert {callback["state"] for callback in owed.all_settled()} == {"delivered"}
    assert {json.loads(call.body)["entry_id"] for call in site.calls[before:]} == set(owed.entries) and owed.errors() == []


def test_dead_letters_replay_under_their_ids(service, endpoint):
    site = endpoint(status(500))
    owed = Owed(service, site.url, visitors=5)
    assert {callback["state"] for callback in owed.all_settled()} == {"dead"}
    ids = {call.id for call in site.calls}
    assert len(ids) == 5 and len(site.calls) == 10 and len(owed.errors()) == 5
    site.answers = [accept]
    assert owed.resend() == 5
    assert {callback["state"] for callback in owed.all_settled()} == {"delivered"}
    assert sorted(call.id for call in site.calls[10:]) == sorted(ids) and owed.errors() == []


def test_an_endpoint_that_asks_for_time_gets_it(service, endpoint):
    sites = [endpoint(status(code, "Retry-After: 4\r\n"), accept) for code in [429, 503]]
    owed = [Owed(service, site.url) for site in sites]
    assert [each.settled()["state"] for each in owed] == ["delivered"] * 2
    for site in sites:
        first, second = site.calls
        assert second.at - first.at >= 4


# Endpoints that do not behave


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise EOFError


def nothing(connection):
    raise EOFError


def after(first, *repeated, pause=0.0):
    """Sends something, and then something else without an end."""

    def answer(connection):
        connection.sendall(first)
        while True:
            for piece in repeated:
                connection.sendall(piece)
            time.sleep(pause)

    return answer


HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = HEAD + b"Content-Length: %d\r\n\r\n"
# What they do, and the error that is told of it: `None` for none, "" for any.
MISBEHAVIOURS = {
    "hangs": (lambda connection: time.sleep(60), "timed out after 3 s"),
    "drips its head": (after(HEAD + b"X: ", b"a", pause=0.2), "timed out after 3 s"),
    "drips a body of known length": (after(LENGTH % 1000, b"a", pause=0.2), None),
    "has an endless body": (after(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n"), None),
    "has a body of a terabyte": (after(LENGTH % 2**40, b"a" * 65536), None),
    "sends more than it said": (after(LENGTH % 1, b"a" * 65536), None),
    "has an endless header": (after(HEAD + b"X: ", b"a" * 65536), ""),
    "has headers without an end": (after(HEAD, b"X: " + b"a" * 1000 + b"\r\n"), ""),
    "says 100 without an end": (after(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.001), "timed out after 3 s"),
    "resets": (reset, "connection reset by peer"),
    "resets within its head": (lambda connection: (connection.sendall(HEAD), reset(connection)), ""),
    "closes without a word": (nothing, ""),
    "speaks no HTTP": (lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n" * 10), ""),
    "has two lengths": (lambda connection: connection.sendall(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\naa"), ""),
    "has a length below nothing": (lambda connection: connection.sendall(HEAD + b"Content-Length: -1\r\n\r\n"), ""),
    "says 418": (status(418), "HTTP 418"),
    "says 302": (status(302, "Location: http://127.0.0.1:1/\r\n"), "HTTP 302"),
    "switches protocols": (status(101, "Upgrade: h2c\r\nConnection: Upgrade\r\n"), ""),
}


def resident(process, line):
    """kB of memory, from /proc."""
    for each in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if each.startswith(line):
            return int(each.split()[1])


def test_endpoints_that_misbehave_are_given_up_and_cost_nothing(service, endpoint):
    releaser = next(child for child in service.children if child.args[0].endswith("Releaser"))
    before = resident(releaser, "VmRSS:")
    sites = {name: endpoint(answer) for name, (answer, _) in MISBEHAVIOURS.items()}
    owed = {name: Owed(service, site.url) for name, site in sites.items()}
    ends = {name: each.settled() for name, each in owed.items()}
    for name, (_, error) in MISBEHAVIOURS.items():
        end = ends[name]
        if error is None:
            assert (end["state"], end["attempts"], end["last_status"]) == ("delivered", 1, 200), name
        else:
            assert (end["state"], end["attempts"]) == ("dead", 2) and end["last_error"] and error in end["last_error"], (name, end)
            assert len(sites[name].calls) == 2, name
    assert releaser.poll() is None
    assert resident(releaser, "VmHWM:") - before < 100_000


# Tenants beside each other


def test_three_hundred_hanging_attempts_of_one_move_nobody_else(tmp_path, endpoint):
    service = Service(tmp_path, CALLBACK_CONCURRENCY="1024", CALLBACK_TIMEOUT_SECONDS="60", DRAIN_SECONDS="0")
    shared, other = endpoint(), endpoint()
    try:
        service.start()
        Owed(service, f"{shared.url}hang", visitors=300)
        until(lambda: under_way(service) >= 300, "all three hundred are under way")
        for site in [shared, other]:
            quick = Owed(service, site.url, visitors=50)
            assert {callback["state"] for callback in quick.all_settled()} == {"delivered"}
            assert {json.loads(call.body)["entry_id"] for call in site.calls if call.path == "/"} == set(quick.entries)
        assert under_way(service) >= 300
    finally:
        shared.stop()
        service.stop()


def under_way(service):
    [address] = service.metrics["releaser"]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("callbacks_under_way ")))
