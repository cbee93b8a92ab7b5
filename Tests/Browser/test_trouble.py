"""What a visitor sees while something is broken, and after."""

import signal
import uuid

import pytest
from selenium.webdriver.common.by import By

from deadline import until
from service import Answer
from website import Page


def is_back(service):
    try:
        return service.call("GET", "/health/ready") is not None
    except (Answer, OSError):
        return False


@pytest.fixture
def stopped_redis(service):
    """Stops and resumes the service's Redis by call; it runs again afterwards in any case."""
    yield lambda stop: service.redis.send_signal(signal.SIGSTOP if stop else signal.SIGCONT)
    service.redis.send_signal(signal.SIGCONT)
    until(lambda: is_back(service), "the service to recover")


@pytest.mark.failed_requests
def test_lost_contact_is_said_and_the_place_is_kept(queue, room):
    queue.join("ahead")
    room.open(queue.page()).wait_for_place(2)
    entry = room.kept["id"]
    room.set_offline(True)
    until(lambda: room.text("notice") == "We lost contact and keep trying. You keep your place.", "the notice")
    assert room.place == 2
    room.set_offline(False)
    until(lambda: room.text("notice") == "", "contact again")
    assert room.text("live") == "We are back in contact. You kept your place."
    assert (room.kept["id"], room.place) == (entry, 2)


@pytest.mark.failed_requests
def test_joining_while_redis_is_away_succeeds_by_itself(service, application, website, queue, room, stopped_redis):
    website.pages["/"] = Page(f'<!doctype html><title>A shop</title><script src="{service.address}/scripts/queue.js"></script><body>')
    room.open(f"{website.address}/")
    stopped_redis(True)
    room.driver.execute_script(
        "new QueueManager({ apiKey: arguments[0] }).joinQueue(arguments[1], 'someone')", application["api_key"], queue.id)
    until(lambda: room.text("notice").startswith("It is busy right now"), "the notice")
    stopped_redis(False)
    room.wait_for_state("waiting").wait_for_place(1)
    assert room.text("notice") == ""
    assert queue.length() == 1, "however often it was tried"


@pytest.mark.failed_requests
def test_page_that_cannot_be_made_says_so_and_comes_back(service, driver, stopped_redis):
    stopped_redis(True)
    driver.get(f"{service.address}/wait/{uuid.uuid4()}")
    assert driver.find_element(By.TAG_NAME, "h1").text == "The waiting room is resting"
    stopped_redis(False)
    until(lambda: driver.title == "This line does not exist", "the page to load again by itself")


@pytest.mark.failed_requests
def test_leaving_without_contact_says_that_the_place_is_still_held(queue, room):
    room.open(queue.page()).wait_for_place(1)
    room.set_offline(True)
    room.click("leave")
    room.click("leave-yes")
    until(lambda: room.text("notice").endswith("You are still in line."), "the notice")
    room.set_offline(False)
    until(lambda: room.text("notice") == "", "contact again")
    assert queue.length() == 1


@pytest.mark.failed_requests
def test_redis_away_and_back_keeps_the_place(queue, room, stopped_redis):
    queue.join("ahead")
    room.open(queue.page()).wait_for_place(2)
    entry = room.kept["id"]
    stopped_redis(True)
    with pytest.raises((Answer, OSError)):
        queue.join("somebody while it is away")
    stopped_redis(False)
    room.driver.refresh()
    room.wait_for_state("waiting").wait_for_place(2)
    assert room.kept["id"] == entry


@pytest.mark.failed_requests
def test_a_place_the_server_does_not_know_is_offered_anew_by_a_button(queue, room):
    room.open(queue.page()).wait_for_place(1)
    room.driver.execute_script("""
        const key = Object.keys(localStorage).find(key => key.startsWith('anteroom:place:'));
        localStorage[key] = JSON.stringify({ ...JSON.parse(localStorage[key]), token: 'forged' });
    """)
    room.driver.refresh()
    room.wait_for_state("missing")
    assert queue.length() == 1, "nothing was taken without asking"
    room.click("again")
    room.wait_for_state("waiting").wait_for_place(2)


def test_blocked_storage_still_gives_a_place(queue, room):
    block = "for (const kind of ['localStorage', 'sessionStorage']) Object.defineProperty(window, kind, { get() { throw new Error('blocked') } })"
    room.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": block})
    room.open(queue.page()).wait_for_place(1)
    assert queue.length() == 1


@pytest.mark.failed_requests
def test_a_place_given_up_for_silence_is_said(service, application, room):
    queue = service.make_queue(application, wait_ttl_seconds=5)
    room.open(queue.page()).wait_for_place(1)
    room.set_offline(True)
    until(lambda: service.call("GET", f"/queue_users?queue_id={queue.id}&status=expired"), "the place to be given up")
    room.set_offline(False)
    room.wait_for_state("expired")
    assert room.text("heading") == "Your place was given up"
    room.click("again")
    room.wait_for_state("waiting").wait_for_place(1)
