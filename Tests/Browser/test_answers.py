"""What queue.js makes of answers that the service gives rarely, or that something in between gives: here the website itself answers."""

import pytest

from answers import WAITING, answer
from deadline import until
from website import Page


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
        # Before the opening a later time is taken over as it is.
        early = {"phase": "pre_queue", "opens_at": "2030-01-01T00:00:00Z"}
        website.pages["/queue_status"] = answer(WAITING | early | {"eta_seconds": seconds})
        until(lambda: room.time == words, words)


def test_a_large_place_is_grouped(visit):
    room = visit(answer(WAITING | {"position": 1234567, "queue_length": 2000000}))
    until(lambda: room.text("place .anteroom-value") == "1,234,567", "the place")


@pytest.mark.failed_requests
def test_a_closed_line_is_said(visit):
    visit(answer({"detail": "Queue is closed", "code": "queue_closed"}, 409)).wait_for_state("closed")
