"""Tickets, api keys and desks' keys that somebody made up, changed, or took from elsewhere."""

import base64
import hashlib
import hmac
import secrets

import pytest

from deadline import until
from service import Answer
from wire import Wire, ask, request

JSON = "Content-Type: application/json"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def flipped(data):
    """`data` with each of its bits turned over in turn."""
    for position in range(len(data) * 8):
        changed = bytearray(data)
        changed[position // 8] ^= 1 << position % 8
        yield bytes(changed)


def refused(wire, token):
    """Whether nothing can be done with the token, by a poll on either way through the gateway, and by cancelling."""
    for message in [
        request("GET", f"/queue_status?token={token}"), request("GET", f"/queue_status?x=&token={token}"),
        request("POST", f"/cancel?token={token}"),
    ]:
        reply = wire.send(message).reply()
        assert reply.status in (404, 422), (token, reply.body)
    return True


def test_a_ticket_changed_anywhere_is_no_ticket(service, queue):
    place = queue.join("v")
    ticket = decode(place["token"])
    with Wire(service.address) as wire:
        assert all(refused(wire, encode(changed)) for changed in flipped(ticket))
        assert all(refused(wire, place["token"][:length]) for length in range(len(place["token"])))
        assert all(refused(wire, place["token"] + more) for more in ["A", "AA", "=", "==", ".", "%00", "%20", "AAAA", place["token"]])
        # A bit that the last character has no room for, and characters that other alphabets have in their place.
        last = place["token"][-1]
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        for other in alphabet.replace(last, ""):
            assert refused(wire, place["token"][:-1] + other)
        assert wire.send(request("GET", f"/queue_status?token={place['token']}")).reply().json["position"] == 1


def test_a_ticket_signed_by_somebody_else_is_no_ticket(service, queue):
    """With no key, with keys at hand, and with keys derived as ours are from the wrong secret or for another use."""
    body = decode(queue.join("v")["token"])[:-16]
    secret = service.variables["SECRET_KEY"].encode()

    def derived(secret, label):
        extracted = hmac.digest(b"\0" * 32, secret, "sha256")
        return hmac.digest(extracted, b"anteroom/" + label + b"\x01", "sha256")

    # What this test derives is how ours are made: else the refusals below would prove nothing.
    right = hmac.digest(derived(secret, b"ticket"), body, "sha256")[:16]
    with Wire(service.address) as wire:
        assert wire.send(request("GET", f"/queue_status?token={encode(body + right)}")).reply().status == 200
        keys = [b"", secret, queue.id.encode(), derived(secrets.token_bytes(32), b"ticket"), derived(secret, b"session"), derived(secret, b"entry")]
        for key in keys:
            assert refused(wire, encode(body + hmac.digest(key, body, "sha256")[:16]))
        assert refused(wire, encode(body + hashlib.sha256(body).digest()[:16]))
        assert refused(wire, encode(body + bytes(16)))
        assert refused(wire, encode(body + right[:8]))
        assert refused(wire, encode(body))


def test_a_signed_ticket_cannot_be_put_together_anew(service, application):
    """Queue, entry, sequence and times of one with the signature of another."""
    one, other = service.make_queue(application), service.make_queue(application)
    first, second = decode(one.join("v")["token"]), decode(other.join("v")["token"])
    with Wire(service.address) as wire:
        for start, end in [(0, 1), (1, 17), (17, 33), (33, 41), (41, 49), (49, 53)]:
            mixed = first[:start] + second[start:end] + first[end:]
            assert mixed == first or refused(wire, encode(mixed))
        assert refused(wire, encode(first[:-16] + second[-16:]))


def test_a_ticket_of_another_queue_takes_no_place(service, application, queue):
    elsewhere = service.make_queue(application)
    mine = elsewhere.join("v")
    headers = {"X-API-Key": application["api_key"]}
    joined = service.call("POST", "/join", {"queue_id": queue.id, "visitor_id": "w", "token": mine["token"]}, headers)
    assert joined["id"] != mine["id"] and joined["queue_id"] == queue.id
    assert service.call("GET", f"/queue_status?token={mine['token']}")["queue_id"] == elsewhere.id


def test_a_ticket_after_cancelling_is_worth_nothing(service, application, queue):
    first, second = queue.join("v"), queue.join("w")
    service.call("POST", "/cancel", {"token": first["token"]})
    assert service.call("GET", f"/queue_status?token={first['token']}")["status"] == "rejected"
    with pytest.raises(Answer) as again:
        service.call("POST", "/cancel", {"token": first["token"]})
    assert again.value.status == 404
    # To join with it again is to join as anybody does: at the end.
    headers = {"X-API-Key": application["api_key"]}
    anew = service.call("POST", "/join", {"queue_id": queue.id, "visitor_id": "v", "token": first["token"]}, headers)
    assert anew["position"] == 2 and anew["token"] != first["token"]
    assert service.call("GET", f"/queue_status?token={second['token']}")["position"] == 1


def test_a_ticket_of_a_life_of_the_queue_that_ended_is_worth_nothing(service, application):
    queue = service.make_queue(application)
    place = queue.join("v")
    service.redis_cli("HINCRBY", queue.key("settings"), "epoch", "1")
    with Wire(service.address) as wire:
        until(lambda: wire.send(request("GET", f"/queue_status?token={place['token']}")).reply().status == 404, "the new life")
        assert refused(wire, place["token"])


def test_a_deleted_queue_takes_its_tickets_with_it(service, application):
    queue = service.make_queue(application)
    place = queue.join("v")
    service.call("DELETE", f"/queues/{queue.id}")
    with Wire(service.address) as wire:
        until(lambda: wire.send(request("GET", f"/queue_status?token={place['token']}")).reply().status == 404, "its end")


def test_a_simulation_never_becomes_a_place(service, application, queue):
    headers = {"X-API-Key": application["api_key"]}
    real = queue.join("v")
    pretended = service.call("POST", "/join?mode=simulation", {"queue_id": queue.id, "visitor_id": "v"}, headers)
    assert (pretended["status"], pretended["position"]) == ("ready", 0)
    joined = service.call("POST", "/join", {"queue_id": queue.id, "visitor_id": "v", "token": pretended["token"]}, headers)
    assert joined["position"] == 2 and joined["id"] not in (real["id"], pretended["id"])
    with Wire(service.address) as wire:
        assert refused(wire, pretended["token"])
    for path in [f"/queue_users/{pretended['id']}", f"/queue_users?queue_id={queue.id}&status=ready"]:
        try:
            assert service.call("GET", path) == []
        except Answer as answer:
            assert answer.status == 404


def test_tickets_of_one_dialect_give_no_rights_in_the_other(service, application, queue):
    """A walk-in's ticket is good where it was given, and no desk's key."""
    key = service.call("POST", "/api/forged/queues", {"queue_id": "line", "name": "Line"})["admin_key"]
    walk_in = service.call("POST", "/api/forged/line/join", {"name": "Alex"})
    visitor = queue.join("v")
    for token in [visitor["token"], walk_in["token"][:-1], "", walk_in["entry"]["id"]]:
        reply = ask(service.address, "POST", "/api/forged/line/leave", JSON, body=b'{"token":"%s"}' % token.encode())
        assert reply.status in (400, 404), reply.body
    for wrong in [walk_in["token"], visitor["token"], key[:-1], key + "A", key.lower(), "", "null", application["secret_key"]]:
        reply = ask(service.address, "POST", "/api/forged/line/serve-next", f"X-Admin-Key: {wrong}")
        assert (reply.status, reply.code) == (403, "invalid_admin_key")
    other = service.call("POST", "/api/forged/queues", {"queue_id": "other", "name": "Other"})["admin_key"]
    assert ask(service.address, "POST", "/api/forged/line/serve-next", f"X-Admin-Key: {other}").status == 403
    assert ask(service.address, "POST", "/api/forged/line/serve-next", f"X-Admin-Key: {key}").json["served"]["id"] == walk_in["entry"]["id"]


def keys(application, other):
    """Keys that are not those of `application`; each is the text of a header."""
    real = application["api_key"]
    yield from ["", "x", "pk_", "pk_" + "A" * 46, "whsec_" + "A" * 56, "pk_" + encode(secrets.token_bytes(34)), real[3:], real.upper()]
    yield from [real[:-1], real + "A", real + "=", " ".join(real), f"{real}, {real}", f"Bearer {real}"]
    yield from [other["api_key"], application["secret_key"], other["secret_key"], "\xff" * 20]
    yield from ("pk_" + encode(changed) for changed in flipped(decode(real[3:])))
    # The tenant of one with the secret of another.
    yield "pk_" + encode(decode(real[3:])[:16] + decode(other["api_key"][3:])[16:])


def test_no_key_but_the_applications_own_joins_its_queue(service, application, queue):
    other = service.make_application(domain="elsewhere.example")
    before = queue.length()
    with Wire(service.address) as wire:
        for key in keys(application, other):
            body = b'{"queue_id":"%s","visitor_id":"v"}' % queue.id.encode()
            reply = wire.send(request("POST", "/join", JSON, f"X-API-Key: {key}", body=body)).reply()
            # Another application's key is right, but sees no such queue.
            assert reply.status == (404 if key == other["api_key"] else 401), (key, reply.body)
    assert queue.length() == before


def test_no_key_but_the_applications_own_secret_manages_it(service, application, queue):
    other = service.make_application(domain="elsewhere.example")
    secret = application["secret_key"]
    raw = decode(secret[6:].replace("+", "-").replace("/", "_"))
    forged = [application["api_key"], secret[:-1], secret + "A", secret.lower(), secret[6:], "whsec_", "", "null", "undefined"]
    forged += ["whsec_" + base64.b64encode(changed).decode() for changed in flipped(raw)]
    with Wire(service.address) as wire:
        assert wire.send(request("GET", f"/queues/{queue.id}", f"Authorization: Bearer {secret}")).reply().status == 200
        for key in forged:
            assert wire.send(request("GET", f"/queues/{queue.id}", f"Authorization: Bearer {key}")).reply().status == 401, key
        for scheme in ["", "Basic ", "Token ", "Bearer: ", "Bearer\t\t", "Bearer  x "]:
            assert wire.send(request("GET", f"/queues/{queue.id}", f"Authorization: {scheme}{secret}")).reply().status == 401, scheme
        reply = wire.send(request("GET", f"/queues/{queue.id}", f"Authorization: Bearer {other['secret_key']}")).reply()
        assert (reply.status, reply.code) == (404, "queue_not_found")


def test_rotated_keys_are_dead(service):
    application = service.make_application()
    queue = service.make_queue(application)
    service.call("POST", f"/applications/{application['id']}/rotate_keys", {})
    def is_dead():
        with pytest.raises(Answer) as answer:
            queue.join("v")
            raise Answer(200, "")
        return answer.value.status == 401
    until(is_dead, "the old key's end", seconds=3)
    assert ask(service.address, "GET", "/auth/me", f"Authorization: Bearer {application['secret_key']}").status == 401
