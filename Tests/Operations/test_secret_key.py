"""SECRET_KEY is changed as docs/operators-guide.md has it, while somebody waits and callbacks go out."""

import base64
import hashlib
import hmac
import secrets
import urllib.parse

import pytest

from deadline import until
from http_site import Handler, Site
from service import Answer, Service, running

LINE = "No application secret needs another key of SECRET_KEY than the first"


class SignedSite(Site):
    """Takes callbacks, and tells of each whether it was signed with the application's secret key (Standard Webhooks, "Verifying")."""

    def __init__(self):
        self.secret, self.visitors = "", []
        super().__init__(SignedHandler)

    def has(self, visitor):
        return any(visitor.encode() in body for body in self.visitors)


class SignedHandler(Handler):
    def do_POST(self):
        body = self.read_body()
        text = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(self.site.secret.removeprefix("whsec_"))
        signature = "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
        is_ours = signature in self.headers["webhook-signature"].split(" ")
        if is_ours:
            self.site.visitors.append(body)
        self.answer(200 if is_ours else 401)


@pytest.fixture
def site():
    site = SignedSite()
    try:
        yield site
    finally:
        site.stop()


def test_the_steps_of_the_guide_lose_no_place_and_no_callback(tmp_path, site):
    old, new = secrets.token_hex(32), secrets.token_hex(32)
    with running(Service(tmp_path, SECRET_KEY=old, CALLBACK_MAX_ATTEMPTS="1")) as service:
        shop = service.make_application(callback_url=f"{site.address}/callback")
        site.secret = shop["secret_key"]
        queue = service.make_queue(shop)
        early = queue.join("early")
        repeated = {"X-API-Key": shop["api_key"], "Idempotency-Key": secrets.token_urlsafe(24)}

        def join_again():
            return service.call("POST", "/join", {"queue_id": queue.id, "visitor_id": "again"}, repeated)

        once = join_again()

        def step(key, visitor):
            """Restarts both programs; a callback must reach the site, and whoever waits must have kept their place."""
            restart(service, key)
            entry = queue.join(visitor)
            service.call("POST", f"/queue_users/{entry['id']}/release?queue_id={queue.id}")
            until(lambda: site.has(visitor), f"the callback for {visitor}")

        def place():
            return service.call("GET", f"/queue_status?{urllib.parse.urlencode({'token': early['token']})}")["position"]

        for keys, visitor in ((f"{old},{new}", "first"), (f"{new},{old}", "second")):
            step(keys, visitor)
            assert place() == 1
            again = join_again()
            assert (again["id"], again["position"]) == (once["id"], 2)
        until(lambda: LINE in (tmp_path / "releaser.log").read_text(), "the line that the guide waits for")
        step(new, "third")
        # Of the old key nothing is left: those who came before have no ticket any more, and the guide says so.
        with pytest.raises(Answer) as answer:
            place()
        assert answer.value.status == 404


def restart(service, key):
    for child in reversed(service.children[1:]):
        child.terminate()
        child.wait(20)
    del service.children[1:]
    service.metrics = {"gateway": [], "releaser": []}
    service.gateways.clear()
    service.variables |= {"SECRET_KEY": key}
    service.token = None
    service.start_one("gateway")
    service.start_one("releaser")
    until(lambda: is_ready(service), "the gateway", seconds=60)
    form = urllib.parse.urlencode({"username": service.variables["ADMIN_EMAIL"], "password": service.password}).encode()
    service.token = service.call("POST", "/auth/login", form)["access_token"]


def is_ready(service):
    try:
        service.call("GET", "/health/ready")
        return True
    except (Answer, OSError):
        return False
