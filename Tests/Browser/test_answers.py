"""What queue.js makes of answers that the service gives rarely, or that something in between gives: here the website itself answers."""

import json

import pytest

from deadline import until
from website import Page

WAITING = {
    "id": "6a1f7b0c-0000-4000-8000-000000000001", "token": "secret", "status": "waiting", "redirect_url": None, "position": 4,
    "eta_seconds": 200, "queue_length": 9, "poll_after_ms": 100,
}
# Notes how long every pause is meant to be, and makes it short. The 15 s are the limit of one request. Polls are what this is about.
HASTE = """
delete window.EventSource;
window.pauses = [];
const pause = window.setTimeout;
window.setTimeout = (action, wait, ...rest) => {
  if (wait === 15000) return pause(action, wait, ...rest);
  window.pauses.push(wait);
  return pause(action, Math.min(wait, 30), ...rest);
};
"""


def answer(body, status=200, **headers):
    return Page(json.dumps(body), status, "application/json", headers)


@pytest.fixture
def visit(service, website, room):
    """Lets a visitor join a service whose answers are the website's pages."""
    def visit(join, status=None):
        website.pages["/join"] = join
        website.pages["/queue_status"] = status or join
        website.pages["/"] = Page(
            f'<!doctype html><title>A shop</title><body><script>{HASTE}</script><script src="{service.address}/scripts/queue.js"></script>')
        room.open(f"{website.address}/").driver.execute_script("""
            window.manager = new QueueManager({ apiKey: "key", apiBaseUrl: location.origin, callbackUrl: location.origin + "/landing" });
            manager.addEventListener("ready", (event) => { event.preventDefault(); window.target = event.detail.redirectUrl; });
            manager.joinQueue("queue", "visitor");
        """)
        return room
    return visit


def pauses(room, count):
    return until(lambda: (seen := room.driver.execute_script("return window.pauses")) and len(seen) >= count and seen, f"{count} tries")


@pytest.mark.failed_requests
def test_tries_grow_apart_to_half_a_minute_at_random(visit):
    seen = pauses(visit(answer({"detail": "away"}, 503)), 8)
    for number, wait in enumerate(seen[:8]):
        full = min(1000 * 2**number, 30_000)
        assert full / 2 <= wait <= full
    assert len({round(wait / min(1000 * 2**number, 30_000), 6) for number, wait in enumerate(seen[:8])}) == 8, "no two at the same time"


@pytest.mark.failed_requests
def test_every_try_to_join_is_the_same_join(visit, website):
    """The key is kept before it is sent: whether an answer was lost or the page reloads, no second place is taken."""
    room = visit(answer({"detail": "away"}, 503))
    until(lambda: len(website.posts) >= 3, "three tries")
    keys = {headers["Idempotency-Key"] for path, headers in website.posts if path == "/join"}
    assert keys == {room.kept["idempotencyKey"]}
    assert len(keys.pop()) == 32


@pytest.mark.failed_requests
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(visit, status):
    for wait in pauses(visit(answer({"detail": "busy"}, status, **{"Retry-After": "7"})), 3)[:3]:
        assert 7000 <= wait <= 8750


def test_the_servers_wish_rules_but_nobody_is_silent_for_over_a_minute(visit, website):
    room = visit(answer(WAITING), answer(WAITING | {"poll_after_ms": 600_000}))
    first, *later = pauses(room, 4)
    assert first <= 100
    assert all(59_000 < wait <= 60_000 for wait in later)


@pytest.mark.failed_requests
@pytest.mark.parametrize("broken", [
    Page("<h1>404 Not Found</h1>", 404),
    Page("<h1>Welcome to the hotel's network</h1>", 200),
    answer([], 200),
    answer({"detail": "no"}, 403),
    Page("", 502),
])
def test_a_place_is_not_lost_by_what_a_proxy_says(visit, website, broken):
    room = visit(answer(WAITING), broken)
    until(lambda: room.text("notice").startswith("We lost contact"), "the notice")
    assert (room.state, room.place) == ("waiting", 4)
    assert room.kept["token"] == "secret"
    website.pages["/queue_status"] = answer(WAITING | {"position": 3})
    room.wait_for_place(3)
    assert room.text("notice") == ""


@pytest.mark.parametrize("redirect, expected", [
    ("https://shop.example/buy?sku=a%20b&queue_pass=old#size", "https://shop.example/buy?sku=a%20b&queue_pass=e30.e30.c2ln#size"),
    ("https://shop.example/buy", "https://shop.example/buy?queue_pass=e30.e30.c2ln"),
    ("javascript:alert(1)", "/landing?queue_pass=e30.e30.c2ln"),
])
def test_the_pass_travels_and_the_rest_of_the_address_stays(visit, redirect, expected):
    room = visit(answer(WAITING | {"status": "ready", "redirect_url": redirect, "pass": "e30.e30.c2ln"}))
    target = until(lambda: room.driver.execute_script("return window.target"), "the ready event")
    assert target.endswith(expected) and "token" not in target


def test_time_is_put_in_words(visit, website):
    room = visit(answer(WAITING))
    for seconds, words in [
        (None, "No estimate yet"), (0, "Less than a minute"), (59, "Less than a minute"), (60, "About 1 minute"), (61, "About 2 minutes"),
        (3540, "About 59 minutes"), (3541, "About 1 hour"), (7260, "About 2 hours 1 minute"), (90_000, "About 25 hours"),
    ]:
        website.pages["/queue_status"] = answer(WAITING | {"eta_seconds": seconds})
        until(lambda: room.time == words, words)


def test_a_large_place_is_grouped(visit):
    room = visit(answer(WAITING | {"position": 1234567, "queue_length": 2000000}))
    until(lambda: room.text("place .anteroom-value") == "1,234,567", "the place")


@pytest.mark.failed_requests
def test_a_closed_line_is_said(visit):
    visit(answer({"detail": "Queue is closed", "code": "queue_closed"}, 409)).wait_for_state("closed")
