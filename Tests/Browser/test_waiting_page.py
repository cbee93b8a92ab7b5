"""The hosted waiting page, from joining to being let in."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from deadline import until
from room import Room


def test_shows_place_and_time_and_both_move(queue, room):
    ahead = [queue.join(f"ahead-{number}") for number in range(4)]
    room.open(queue.page()).wait_for_place(5)
    assert room.time == "No estimate yet", "nobody is released, so there is nothing to promise"
    assert room.driver.title == "5 · Sneaker drop"
    before = room.progress

    queue.set(max_users_per_minute=2)
    until(lambda: room.time.startswith("Between "), "an estimate")
    queue.set(max_users_per_minute=0)
    until(lambda: room.time == "No estimate yet", "the estimate to go when releasing stops")
    queue.service.call("POST", "/cancel", {"token": ahead[3]["token"]})
    until(lambda: room.place < 5, "the place to move")
    assert room.progress > before
    assert room.driver.title == f"{room.place} · Sneaker drop"


def test_released_visitor_goes_to_return_to(queue, room, website):
    room.open(queue.page(return_to=f"{website.address}/landing?item=7"))
    queue.set(max_users_per_minute=60)
    until(lambda: room.driver.current_url.startswith(website.address), "the way to the website")
    assert room.driver.title == "Landing"
    assert "item=7" in room.driver.current_url
    assert "token" not in room.driver.current_url, "the ticket is a secret of the waiting page"


def test_released_visitor_without_return_to_goes_to_the_queues_address(service, application, room, website):
    queue = service.make_queue(application, redirect_url=f"{website.address}/landing", max_users_per_minute=60)
    room.open(queue.page())
    until(lambda: room.driver.current_url.startswith(f"{website.address}/landing"), "the way to the website")


def test_released_visitor_without_any_address_is_told(queue, room):
    room.open(queue.page()).wait_for_place(1)
    assert room.text("heading") == "You are next"
    queue.set(max_users_per_minute=60)
    room.wait_for_state("ready")
    assert room.text("heading") == "It is your turn"
    assert room.kept is None


@pytest.mark.failed_requests
@pytest.mark.parametrize("target", ["https://elsewhere.example/", "javascript:alert(1)", "//elsewhere.example/"])
def test_foreign_return_to_is_refused_with_a_page(queue, driver, target):
    driver.get(queue.page(return_to=target))
    assert driver.find_element(By.TAG_NAME, "h1").text == "This link cannot be trusted"
    assert not driver.find_elements(By.ID, "queue-status")
    assert queue.length() == 0


@pytest.mark.failed_requests
def test_the_pages_of_a_queue_are_in_its_language(queue, driver):
    queue.set(lang="ar", theme="dark")
    for address in [f"{queue.service.address}/wait/{queue.id}", f"{queue.service.address}/wait/{queue.id}?return_to=https://elsewhere.example/"]:
        driver.get(address)
        page = driver.find_element(By.TAG_NAME, "html")
        assert (page.get_attribute("lang"), page.get_attribute("dir"), page.get_attribute("data-theme")) == ("ar", "rtl", "dark")


@pytest.mark.failed_requests
def test_unknown_queue_has_a_page(service, driver):
    driver.get(f"{service.address}/wait/00000000-0000-0000-0000-000000000000")
    assert driver.find_element(By.TAG_NAME, "h1").text == "This line does not exist"


def test_leaving_asks_once_and_gives_the_place_up(queue, room):
    room.open(queue.page()).wait_for_place(1)
    room.click("leave")
    room.click("leave-no")
    assert room.state == "waiting"
    room.click("leave")
    room.click("leave-yes")
    room.wait_for_state("cancelled")
    assert room.text("heading") == "You left the line"
    assert queue.length() == 0
    assert room.kept is None


def test_who_left_can_join_again_at_the_end(queue, room):
    room.open(queue.page()).wait_for_place(1)
    queue.join("behind")
    room.click("leave")
    room.click("leave-yes")
    room.wait_for_state("cancelled")
    room.click("again")
    room.wait_for_state("waiting").wait_for_place(2)


def test_keyboard_alone_can_leave(queue, room):
    room.open(queue.page()).wait_for_place(1)
    focused = lambda: room.driver.switch_to.active_element
    focused().send_keys(Keys.TAB)
    assert "anteroom-leave" in focused().get_attribute("class")
    focused().send_keys(Keys.ENTER)
    assert "anteroom-leave-no" in focused().get_attribute("class"), "the harmless answer comes first"
    focused().send_keys(Keys.ESCAPE)
    assert "anteroom-leave" in focused().get_attribute("class")
    focused().send_keys(Keys.ENTER)
    focused().send_keys(Keys.TAB)
    focused().send_keys(Keys.SPACE)
    room.wait_for_state("cancelled")
    assert "anteroom-again" in focused().get_attribute("class"), "the focus is not lost with the button"


def test_reload_keeps_the_place_and_takes_no_second(queue, room):
    queue.join("ahead")
    room.open(queue.page()).wait_for_place(2)
    entry = room.kept["id"]
    for _ in range(3):
        room.driver.refresh()
        room.wait_for_state("waiting").wait_for_place(2)
    assert room.kept["id"] == entry
    assert queue.length() == 2


def test_reload_in_the_middle_of_a_join_finds_the_same_place(queue, room):
    room.open(queue.page()).wait_for_place(1)
    entry = room.kept["id"]
    room.driver.execute_script("""
        const key = Object.keys(localStorage).find(key => key.startsWith('anteroom:place:'));
        localStorage[key] = JSON.stringify({ idempotencyKey: JSON.parse(localStorage[key]).idempotencyKey });
    """)
    room.driver.refresh()
    room.wait_for_state("waiting")
    assert room.kept["id"] == entry
    assert queue.length() == 1


def test_two_tabs_share_one_place(queue, room):
    room.open(queue.page()).wait_for_place(1)
    first = room.driver.current_window_handle
    room.driver.switch_to.new_window("tab")
    room.open(queue.page()).wait_for_place(1)
    assert queue.length() == 1
    room.click("leave")
    room.click("leave-yes")
    room.wait_for_state("cancelled")
    room.driver.switch_to.window(first)
    room.wait_for_state("cancelled")


def test_the_websites_visitor_id_is_used(queue, room, service):
    room.open(queue.page(visitor_id="visitor 42/ü")).wait_for_place(1)
    waiting = service.call("GET", f"/queue_users?queue_id={queue.id}")
    assert [entry["visitor_id"] for entry in waiting] == ["visitor 42/ü"]


def test_place_never_rises(queue, room):
    """A place that the server would later call higher (after its data came back in another order) stays as shown."""
    queue.join("ahead")
    queue.join("ahead too")
    room.open(queue.page()).wait_for_place(3)
    room.driver.execute_script("""
        const key = Object.keys(localStorage).find(key => key.startsWith('anteroom:place:'));
        localStorage[key] = JSON.stringify({ ...JSON.parse(localStorage[key]), least: 2 });
    """)
    room.driver.refresh()
    room.wait_for_state("waiting")
    assert room.place == 2


def test_operators_message_reaches_those_who_wait(queue, room):
    room.open(queue.page()).wait_for_place(1)
    assert room.text("message") == ""
    queue.set(message="Doors open at 10.")
    until(lambda: room.text("message") == "Doors open at 10.", "the message")
    queue.set(message=None)
    until(lambda: room.text("message") == "", "the message to go")


def test_text_from_outside_stays_text(service, application, room):
    attack = "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>"
    queue = service.make_queue(application, name=attack[:100], message=attack)
    room.open(queue.page(visitor_id="</script><b>&\"'")).wait_for_place(1)
    until(lambda: room.text("message") == attack, "the message as text")
    assert room.driver.find_element(By.TAG_NAME, "h1").text == attack[:100]
    assert not room.driver.find_elements(By.CSS_SELECTOR, "main img")
    assert "owned" != room.driver.title


def test_another_visitor_stands_behind(queue, room):
    """Two browsers do not share what the first one keeps."""
    room.open(queue.page()).wait_for_place(1)
    room.driver.execute_script("localStorage.clear()")
    room.driver.refresh()
    Room(room.driver).wait_for_state("waiting").wait_for_place(2)
