"""The documentation's pictures, taken from the running service: `pytest --screenshots=docs/images Tests/Browser/test_pictures.py`."""

import secrets

import pytest
from selenium.webdriver.common.by import By

from counter import Counter, Page
from deadline import until
from test_demo_shop import Shop

MESSAGE = "Sizes 36 to 45 are all still here. Payment by card only."
MESSAGE_ARABIC = "جميع المقاسات من 36 إلى 45 ما زالت متوفرة."


@pytest.fixture
def folder(request):
    folder = request.config.getoption("--screenshots")
    if folder is None:
        pytest.skip("no --screenshots DIR")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def line(service, application, **fields):
    """A queue with people in it, the picture's visitor at place 13, and a slow rate for an estimate."""
    queue = service.make_queue(application, max_users_per_minute=4, **fields)
    for number in range(12):
        queue.join(f"ahead-{number}")
    return queue


def take(driver, path, width=1000, height=860, scale=1.5):
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False})
    driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]})
    driver.save_screenshot(str(path))


@pytest.mark.parametrize("name, query, name_of_queue, message, size", [
    ("waiting", {}, "Sneaker drop", MESSAGE, {}),
    ("waiting-dark", {"theme": "dark"}, "Sneaker drop", MESSAGE, {}),
    ("waiting-arabic", {"lang": "ar"}, "إطلاق الأحذية الجديدة", MESSAGE_ARABIC, {}),
    ("waiting-phone", {}, "Sneaker drop", MESSAGE, {"width": 375, "height": 780, "scale": 2}),
])
def test_waiting_page(service, application, room, folder, name, query, name_of_queue, message, size):
    queue = line(service, application, name=name_of_queue, message=message)
    room.open(queue.page(**query)).wait_for_state("waiting")
    for number in range(180):
        queue.join(f"behind-{number}")
    until(lambda: room.progress > 20, "some of the way", seconds=60)
    take(room.driver, folder / f"{name}.png", **size)


def test_shop_and_board(service, tmp_path, room, folder):
    shop = Shop(service, tmp_path)
    try:
        room.open(f"{shop.address}/")
        take(room.driver, folder / "demo-shop.png", height=560)
        shop.queue.set(max_users_per_minute=60)
        for number in range(8):
            shop.queue.join(f"{secrets.token_hex(8)}")
        room.open(f"{shop.address}/board")
        until(lambda: room.driver.find_element(By.ID, "admitted").text == "8", "eight callbacks", seconds=60)
        take(room.driver, folder / "board.png", height=840)
    finally:
        shop.stop()


def test_walk_in_line(service, page, folder):
    counter = Counter(service, name="City library")
    types = [counter.type("LOAN", "Loans and returns"), counter.type("CARD", "New card")]
    for number, name in enumerate(["Priya", "Alex Rivera", "سارة", "Sam", "Noor", "Jo", "Mia", "Chen", "Ana"]):
        counter.join(name, service_type_id=types[number % 3 == 1])
    counter.call_next("2")
    page.open(counter.address())
    page.join("Robin", "New card").wait_for(".place-number", "9")
    take(page.driver, folder / "walk-in-phone.png", width=375, height=720, scale=2)
    page.open_desk(counter, desk="3").step("call-next").wait_for(".current-name", "Alex Rivera")
    take(page.driver, folder / "walk-in-desk.png", width=1200, height=900)
    page.open(counter.address("/kiosk"))
    page.driver.execute_script("document.querySelector('.address').textContent = 'wait.example/queue/city/library'")
    until(lambda: len(page.texts(".calls li")) == 2, "both calls")
    take(page.driver, folder / "walk-in-kiosk.png", width=1280, height=720)
