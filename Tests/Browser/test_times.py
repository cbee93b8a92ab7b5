"""What visitors are told of time: until the opening, until it is their turn, why it has changed, and how long their place is kept."""

import datetime
import json
import re

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver.common.by import By

from answers import WAITING, answer
from deadline import until
from service import ROOT

DRAWN = "Places are drawn by lot when it opens. It does not matter how early you came."
PAUSED = "The line is paused, so nobody is let in at the moment. Your place is kept."
FULL = "The site is full. The line moves on as people leave it."
SLOWER = "The site now lets in fewer people per minute."
LONGER = "It is taking longer than expected."
# A browser whose clock is three hours slow.
SLOW_CLOCK = "const now = Date.now.bind(Date); Date.now = () => now() - 3 * 3600 * 1000;"


def at(seconds):
    """A time so many seconds from now, as the API takes it."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def opens_in(room):
    return room.text("opening .anteroom-countdown")


def forecast(seconds, low=None, high=None, **fields):
    """The answer to one whose wait is so long, at 10 people per minute."""
    bounds = {"eta_low_seconds": low or seconds, "eta_high_seconds": high or seconds}
    return answer(WAITING | {"eta_seconds": seconds, "max_users_per_minute": 10} | bounds | fields)


def polls(room, count=3):
    """Waits until the page has asked so often again."""
    before = room.driver.execute_script("return window.pauses.length")
    until(lambda: room.driver.execute_script("return window.pauses.length") >= before + count, f"{count} polls")


# Before the opening


def test_counts_down_to_the_opening_and_shows_the_place_then(queue, room):
    queue.set(opens_at=at(3600 + 30))
    for number in range(2):
        queue.join(f"early-{number}")
    room.open(queue.page()).wait_for_state("waiting")
    assert room.text("heading") == "The line is not open yet"
    assert room.text("text") == DRAWN
    assert opens_in(room) == "1 hour"
    assert [room.text(each) for each in ("place", "time", "length", "progress")] == [""] * 4, "nobody has a place yet"
    assert room.driver.title == "Sneaker drop"
    assert room.text("live") == f"The line opens in: 1 hour. {DRAWN}"
    queue.set(opens_at=at(6))

    def is_soon():
        room.driver.refresh()
        room.wait_for_state("waiting")
        return re.fullmatch(r"[1-6] seconds?", opens_in(room))

    until(is_soon, "seconds")
    until(lambda: room.place in (1, 2, 3), "a place")
    assert (opens_in(room), room.text("text")) == ("", "")
    assert f"Your place in line: {room.place}." in room.text("live")
    assert room.kept["least"] == room.place


def test_the_countdown_is_by_the_servers_clock(queue, room):
    """In the order of arrival, where the answer has no exact time until the opening."""
    queue.set(opens_at=at(1800 - 3), pre_queue_order="fifo")
    queue.join("early")
    room.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SLOW_CLOCK})
    room.open(queue.page()).wait_for_place(2)
    assert re.match(r"29 minutes", opens_in(room))
    assert room.text("text") == "Your place is kept until it opens."
    assert room.text("kept").startswith("If you close this page, your place is kept for 10 minutes.")


def test_the_countdown_is_spoken_rarely(visit, website):
    room = visit(answer(WAITING | {"position": 0, "eta_seconds": 75, "phase": "pre_queue", "opens_at": at(75)}))
    room.wait_for_state("waiting")
    until(lambda: opens_in(room).startswith("1 minute"), "the countdown")
    room.driver.execute_script("""
        window.spoken = [];
        new MutationObserver(() => window.spoken.push(arguments[0].textContent)).observe(arguments[0], { childList: true });
    """, room.find("live"))
    before = opens_in(room)
    until(lambda: opens_in(room) != before, "a second to pass")
    assert room.driver.execute_script("return window.spoken") == []
    website.pages["/queue_status"] = answer(WAITING | {"position": 0, "eta_seconds": 58, "phase": "pre_queue", "opens_at": at(58)})
    until(lambda: "The line opens in: 5" in "".join(room.driver.execute_script("return window.spoken")), "the last minute")


# Why nothing moves


def test_a_pause_is_said_and_its_end(queue, room):
    queue.set(max_users_per_minute=0.5)
    for number in range(4):
        queue.join(f"ahead-{number}")
    room.open(queue.page()).wait_for_state("waiting")
    assert room.text("text") == ""
    queue.set(state="paused")
    until(lambda: room.text("text") == PAUSED, "the pause")
    assert PAUSED in room.text("live")
    assert (room.time, room.text("reason")) == ("No estimate yet", "")
    queue.set(state="open")
    until(lambda: room.text("text") == "", "the end of the pause")


def test_a_full_site_is_said_and_its_end(service, queue, room):
    queue.set(max_active_users=1, max_users_per_minute=600)
    queue.join("inside")
    until(lambda: service.call("GET", f"/queue_users?queue_id={queue.id}&status=ready"), "one inside")
    room.open(queue.page()).wait_for_place(1)
    until(lambda: room.text("text") == FULL, "that the site is full")
    queue.set(max_active_users=0, max_users_per_minute=0)
    until(lambda: room.text("text") == "", "that there is room")


# The waiting time


def test_the_time_is_a_range(visit, website):
    early = lambda low, high: forecast(low, low, high, phase="pre_queue", opens_at=at(1))  # what is told then is shown as it is
    room = visit(early(310, 480))
    until(lambda: room.time == "Between 5 and 8 minutes", "the range")
    for low, high, words in [
        (10, 40, "Less than a minute"), (20, 170, "Up to 3 minutes"), (119, 120, "Between 1 and 2 minutes"), (120, 120, "About 2 minutes"),
        (1300, 2350, "Between 20 and 40 minutes"), (3600, 7200, "Between 1 and 2 hours"),
        (2900, 4000, "Between 45 minutes and 1 hour 15 minutes"),
    ]:
        website.pages["/queue_status"] = early(low, high)
        until(lambda: room.time == words, words)
    bounds = {"eta_seconds": 300, "eta_low_seconds": 300, "eta_high_seconds": None}
    website.pages["/queue_status"] = answer(WAITING | {"id": "another"} | bounds)
    until(lambda: room.time == "At least 5 minutes", "what is known")


def test_a_lower_rate_is_the_reason_of_a_later_time(queue, room):
    queue.set(max_users_per_minute=4)
    for number in range(24):
        queue.join(f"ahead-{number}")
    room.open(queue.page()).wait_for_state("waiting")
    until(lambda: room.time.startswith("Between "), "an estimate")
    longest = lambda: int(re.findall(r"\d+", room.time)[-1])
    before = longest()
    assert room.text("reason") == ""
    queue.set(max_users_per_minute=1)
    until(lambda: room.text("reason") == SLOWER, "the reason")
    assert longest() > 2 * before
    assert SLOWER in room.text("live")
    queue.set(max_users_per_minute=8)
    until(lambda: room.text("reason") == "", "the reason to go")
    assert longest() < before


def test_the_time_does_not_rise_with_the_forecast(visit, website):
    room = visit(forecast(300))
    until(lambda: room.time == "About 5 minutes", "the time")
    for seconds in (340, 900):
        website.pages["/queue_status"] = forecast(seconds)
        polls(room)
        assert room.time == "About 5 minutes"
    room.driver.refresh()
    room.driver.execute_script("new QueueManager({ apiKey: 'key', apiBaseUrl: location.origin }).joinQueue('queue', 'visitor')")
    room.wait_for_state("waiting")
    assert room.time == "About 5 minutes", "another page of the same visitor says the same"


def test_the_time_shown_passes_with_the_clock(visit, website):
    room = visit(forecast(300))
    until(lambda: room.time == "About 5 minutes", "the time")
    website.ahead = 200
    until(lambda: room.time == "About 2 minutes", "the time that is left")
    website.ahead = 1000
    until(lambda: room.text("reason") == LONGER, "the reason")
    assert room.time == "About 5 minutes"


def test_a_forecast_that_stays_far_later_is_taken_over(visit, website):
    room = visit(forecast(300))
    until(lambda: room.time == "About 5 minutes", "the time")
    website.pages["/queue_status"] = forecast(900)
    polls(room)
    assert (room.time, room.text("reason")) == ("About 5 minutes", "")
    website.ahead = 31
    until(lambda: room.time == "About 15 minutes", "the later time")
    assert room.text("reason") == LONGER
    website.pages["/queue_status"] = forecast(1000)
    website.ahead = 62
    polls(room)
    assert room.time == "About 15 minutes", "a small rise is absorbed, however long it stays"


def test_a_full_site_is_the_reason_of_a_later_time(visit, website):
    room = visit(forecast(300))
    until(lambda: room.time == "About 5 minutes", "the time")
    website.pages["/queue_status"] = forecast(600, phase="full")
    until(lambda: room.time == "About 10 minutes", "the later time")
    assert room.text("text") == FULL
    website.pages["/queue_status"] = forecast(700, phase="full")
    polls(room)
    assert room.time == "About 10 minutes", "which is a reason once"


# The place


@pytest.mark.parametrize("ttl, words", [
    (900, "If you close this page, your place is kept for 15 minutes. Come back to this address in the same browser to find it again."),
    (0, "You can close this page, your place is kept. Come back to this address in the same browser to find it again."),
])
def test_says_how_long_the_place_is_kept(queue, room, ttl, words):
    queue.set(wait_ttl_seconds=ttl)
    room.open(queue.page()).wait_for_place(1)
    assert room.text("kept") == words


# Everybody


@pytest.mark.parametrize("lang, theme", [("en", "light"), ("ar", "dark")])
def test_each_state_is_for_everybody(service, application, room, lang, theme):
    """Assistive technology finds nothing wrong, a narrow phone has no sideways scroll, and the words are of one language."""
    name = {"en": "Sneaker drop", "ar": "إصدار الأحذية"}[lang]
    words = json.loads((ROOT / f"Sources/Gateway/Web/{lang}.json").read_text())
    queue = service.make_queue(application, name=name, max_active_users=1, max_users_per_minute=600)
    queue.join("inside")
    until(lambda: service.call("GET", f"/queue_users?queue_id={queue.id}&status=ready"), "one inside")
    queue.set(opens_at=at(26 * 3600))
    room.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True})
    room.open(queue.page(lang=lang, theme=theme)).wait_for_state("waiting")
    heard = set()

    def check(what):
        until(lambda: room.text("text") not in heard, what)
        heard.add(room.text("text"))
        found = Axe().run(room.driver)["violations"]
        assert not found, (what, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found])
        assert room.driver.execute_script("return [innerWidth, document.documentElement.scrollWidth]") == [320, 320], what
        if lang == "ar":
            assert not re.search("[A-Za-z]", room.driver.find_element(By.TAG_NAME, "main").text), what

    check("the countdown to a lot")
    queue.set(pre_queue_order="fifo")
    check("the countdown with a place")
    queue.set(opens_at=at(1), state="paused")
    check("the pause")
    queue.set(state="open", max_users_per_minute=0.1)
    check("the full site")
    until(lambda: room.time != words["widget_time_unknown"], "a time")
    queue.set(max_users_per_minute=0.02)
    until(lambda: room.text("reason") == words["widget_time_slower"], "the reason")
    heard.clear()
    check("the later time")
