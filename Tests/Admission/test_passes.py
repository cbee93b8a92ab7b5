"""Passes, as sites check them: offline, with JWT libraries that know nothing of ours."""

import base64
import json
import time
import urllib.request

import joserfc.errors
import joserfc.jwk
import joserfc.jwt
import jwt
import pytest

from deadline import until
from service import BINARIES, free_port


def let_in(queue, visitor="v"):
    """Somebody who has joined and been let in, as their browser sees it."""
    entry = queue.join(visitor)
    queue.set(max_users_per_minute=600)
    entry = until(lambda: ready(queue, entry["token"]), "being let in")
    queue.set(max_users_per_minute=0)
    return entry


def ready(queue, token):
    entry = queue.service.call("GET", f"/queue_status?token={token}")
    return entry if entry["status"] == "ready" else None


def keys(address):
    with urllib.request.urlopen(f"{address}/.well-known/jwks.json") as answer:
        return json.load(answer)


def by_pyjwt(address, application, text):
    key = jwt.PyJWKClient(f"{address}/.well-known/jwks.json").get_signing_key_from_jwt(text)
    return jwt.decode(
        text, key.key, algorithms=["ES256"], audience=application["id"], issuer=address,
        options={"require": ["iss", "aud", "sub", "jti", "iat", "nbf", "exp"]})


def by_joserfc(address, application, text):
    token = joserfc.jwt.decode(text, joserfc.jwk.KeySet.import_key_set(keys(address)), algorithms=["ES256"])
    joserfc.jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": address}, aud={"essential": True, "value": application["id"]}, exp={"essential": True}
    ).validate(token.claims)
    return token.claims


@pytest.mark.parametrize("verify", [by_pyjwt, by_joserfc])
def test_two_libraries_read_a_pass(service, application, queue, verify):
    entry = let_in(queue)
    claims = verify(service.address, application, entry["pass"])
    assert (claims["sub"], claims["jti"], claims["queue"]) == ("v", entry["id"], queue.id)
    assert claims["exp"] - claims["iat"] == 600
    assert claims["nbf"] <= time.time() < claims["exp"]


def test_both_refuse_one_that_was_changed_or_is_for_somebody_else(service, application, queue):
    text = let_in(queue)["pass"]
    head, body, tag = text.split(".")
    claims = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b'"sub":"v"', b'"sub":"w"')
    changed = ".".join([head, base64.urlsafe_b64encode(claims).decode().rstrip("="), tag])
    with pytest.raises(jwt.InvalidSignatureError):
        by_pyjwt(service.address, application, changed)
    with pytest.raises(joserfc.errors.BadSignatureError):
        by_joserfc(service.address, application, changed)
    other = service.make_application(domain="other.example")
    with pytest.raises(jwt.InvalidAudienceError):
        by_pyjwt(service.address, other, text)
    with pytest.raises(joserfc.errors.InvalidClaimError):
        by_joserfc(service.address, other, text)


@pytest.mark.parametrize("queue", [{"session_seconds": 1}], indirect=True)
def test_a_pass_ends_with_its_session(service, application, queue):
    entry = let_in(queue)
    until(lambda: "pass" not in service.call("GET", f"/queue_status?token={entry['token']}"), "the session's end", seconds=5)
    with pytest.raises(jwt.ExpiredSignatureError):
        by_pyjwt(service.address, application, entry["pass"])


def test_passes_of_before_a_rotation_stay_good(service, application, queue):
    old = let_in(queue)["pass"]
    secret = service.variables["SECRET_KEY"]
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    variables = {"PORT": str(port), "SECRET_KEY": f"{'n' * 32},{secret}", "PUBLIC_URL": service.address, "METRICS_PORT": str(free_port())}
    service.launch("rotated", [str(BINARIES / "Gateway")], service.variables | variables)
    service.wait_for(address)
    offered = keys(address)["keys"]
    assert len(offered) == 2 and offered[1] == keys(service.address)["keys"][0]
    assert jwt.decode(old, jwt.PyJWK(offered[1]).key, algorithms=["ES256"], audience=application["id"])["sub"] == "v"
