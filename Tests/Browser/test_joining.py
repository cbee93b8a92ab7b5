"""What a queue may ask for before it gives a place: an invitation, and work of the browser."""

import hashlib
import json
import secrets
import time

import jwt
import pytest

from answers import WAITING, answer, refusal
from service import ROOT

CHALLENGE = ROOT / "Sources/Gateway/Web/challenge.js"
# Notes what the page sends.
LISTEN = """
window.sent = [];
const send = window.fetch;
window.fetch = (address, options = {}) => {
  if (options.body) window.sent.push(JSON.parse(options.body));
  return window.answerInstead?.(address, options) ?? send(address, options);
};
"""


def is_solved(challenge, solution, bits):
    digest = hashlib.sha256(f"{challenge}:{solution}".encode()).digest()
    return solution.isascii() and 0 < len(solution) <= 32 and int.from_bytes(digest) >> (256 - bits) == 0


@pytest.fixture
def sent(room):
    """What the pages that are opened now send."""
    room.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTEN})
    return lambda: room.driver.execute_script("return window.sent")


# Invitations


def test_the_address_brings_the_invitation(queue, room, sent):
    room.open(queue.page(invitation="abc.DEF-1_2")).wait_for_place(1)
    assert [body.get("invitation") for body in sent()] == ["abc.DEF-1_2"]


def test_without_an_invitation_none_is_sent(queue, room, sent):
    room.open(queue.page()).wait_for_place(1)
    assert "invitation" not in sent()[0]


def test_an_option_brings_the_invitation(visit, website):
    visit(answer(WAITING), options="{ invitation: 'abc' }").wait_for_state("waiting")
    assert json.loads(website.bodies[0])["invitation"] == "abc"


@pytest.mark.failed_requests
@pytest.mark.parametrize("code, words", [
    ("invitation_required", "This line is by invitation"),
    ("invitation_refused", "This invitation is not valid here"),
    ("invitation_used", "This invitation has been used"),
])
def test_a_refused_invitation_is_said_and_not_tried_again(visit, website, code, words):
    room = visit(refusal(code)).wait_for_state("uninvited")
    assert room.text("heading") == words
    assert words in room.text("live")
    assert not room.find("again").is_displayed()
    assert len(website.posts) == 1


# Work


class Bouncer:
    """Gives a place for a solved challenge; `first` are its answers before that."""

    def __init__(self, website, *first, bits=10):
        self.website, self.first, self.bits = website, list(first), bits
        self.challenges = []
        website.pages["/challenge"] = self.challenge

    def challenge(self):
        self.challenges.append(secrets.token_urlsafe(40) + "ü")
        return answer({"queue_id": "queue", "challenge": self.challenges[-1], "bits": self.bits, "expires_at": "2030-01-01T00:00:00Z"})

    def join(self):
        if self.first:
            return self.first.pop(0)
        body = json.loads(self.website.bodies[-1])
        assert is_solved(body["challenge"], body["solution"], self.bits)
        return answer(WAITING)


@pytest.mark.failed_requests
def test_the_browser_works_for_its_place(visit, website):
    bouncer = Bouncer(website, refusal("challenge_required"), bits=18)
    room = visit(bouncer.join, answer(WAITING))
    room.wait_for_place(4)
    assert len(bouncer.challenges) == 1
    assert [json.loads(body).get("challenge") for body in website.bodies] == [None, bouncer.challenges[0]]
    assert "proof" not in room.kept


@pytest.mark.failed_requests
def test_says_what_takes_a_moment(visit, website):
    Bouncer(website, bits=60)
    room = visit(refusal("challenge_required")).wait_for_state("checking")
    assert room.text("heading") == "Checking your browser…"
    assert room.text("text") == "This takes a moment. You need not do anything."
    assert "Checking your browser…" in room.text("live")
    room.driver.execute_script("manager.destroy()")


@pytest.mark.failed_requests
def test_a_lost_answer_costs_no_second_challenge(visit, website):
    lost = answer({"detail": "away"}, 503)
    bouncer = Bouncer(website, refusal("challenge_required"), lost, lost, lost)
    visit(bouncer.join, answer(WAITING)).wait_for_place(4)
    assert len(bouncer.challenges) == 1
    assert {json.loads(body)["solution"] for body in website.bodies[1:]} == {json.loads(website.bodies[-1])["solution"]}


@pytest.mark.failed_requests
def test_a_challenge_that_was_used_is_replaced(visit, website):
    bouncer = Bouncer(website, refusal("challenge_required"), refusal("challenge_used"), refusal("challenge_failed"))
    visit(bouncer.join, answer(WAITING)).wait_for_place(4)
    assert len(bouncer.challenges) == 3


@pytest.mark.failed_requests
def test_three_challenges_are_enough(visit, website):
    bouncer = Bouncer(website)
    room = visit(refusal("challenge_failed")).wait_for_state("refused")
    assert room.text("heading") == "We could not check your browser"
    assert room.find("again").is_displayed()
    assert (len(bouncer.challenges), len(website.posts)) == (3, 4)


@pytest.mark.failed_requests
def test_where_workers_are_forbidden_the_page_works(service, visit, website):
    bouncer = Bouncer(website, refusal("challenge_required"), bits=16)
    policy = f"default-src 'self'; script-src 'self' {service.address}; connect-src 'self'; worker-src 'none'"
    room = visit(bouncer.join, answer(WAITING), policy=policy).wait_for_place(4)
    complaints = [line["message"] for line in room.driver.get_log("browser") if line["source"] != "network" and line["level"] == "SEVERE"]
    assert complaints and all("worker-src" in each for each in complaints), complaints


def test_the_waiting_page_may_work(queue, room, sent):
    """Its own policy lets the worker run."""
    room.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
        const say = (body, status = 200) => Promise.resolve(new Response(JSON.stringify(body), { status }));
        window.answerInstead = (address, options) =>
          address.includes("/challenge") ? say({ challenge: "c", bits: 12 })
          : options.body && !options.body.includes("solution") ? say({ code: "challenge_required" }, 403) : null;
        window.found = [];
        const Real = window.Worker;
        window.Worker = class extends Real {
          constructor(address) {
            super(address);
            this.addEventListener("message", (event) => window.found.push(event.data));
          }
        };
    """})
    room.open(queue.page()).wait_for_place(1)
    solution = sent()[-1]["solution"]
    assert is_solved("c", solution, 12)
    assert room.driver.execute_script("return window.found") == [solution]


def test_what_is_found_is_right_whatever_the_length(driver):
    """SHA-256 takes 64 bytes at a time: every way in which the text may end at a border."""
    driver.get("about:blank")
    challenges = ["é" * (length % 2) + "x" * length for length in range(140)]
    found = driver.execute_script(
        CHALLENGE.read_text() + "return arguments[0].map((challenge) => searcher(challenge, 7)(1e5))", challenges)
    for challenge, solution in zip(challenges, found, strict=True):
        assert is_solved(challenge, solution, 7), challenge


# With the service itself


@pytest.mark.failed_requests
def test_a_queue_that_asks_for_work_gives_a_place_for_it(queue, room):
    queue.set(challenge="proof_of_work", challenge_bits=14)
    room.open(queue.page()).wait_for_place(1)
    assert queue.length() == 1


def test_an_invitation_of_the_site_opens_the_waiting_page(queue, room):
    queue.set(invitations="required")
    claims = {"queue": queue.id, "jti": secrets.token_hex(8), "exp": int(time.time()) + 60}
    room.open(queue.page(invitation=jwt.encode(claims, queue.application["secret_key"], algorithm="HS256"))).wait_for_place(1)
