"""The documentation's pictures, taken from the running service: `pytest --screenshots=docs/images Tests/Browser/test_pictures.py`."""

import bisect
import datetime
import operator
import random
import secrets
import subprocess
import time
import uuid

import pytest
from selenium.webdriver.common.by import By

from counter import Counter
from dashboard import Dashboard
from deadline import until
from service import compact
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
    driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False})
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


def test_before_an_opening(service, application, room, folder):
    queue = line(service, application, name="Sneaker drop")
    queue.set(opens_at=(datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=14, seconds=20)).isoformat())
    room.open(queue.page()).wait_for_state("waiting")
    take(room.driver, folder / "opening.png")


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


class Hour:
    """What the last hour made of a queue that lets in at `rate`, if so many came by the minute. It is written where the service keeps it,
    since a picture cannot wait that long."""

    def __init__(self, service, queue, arrivals, rate):
        self.service, self.queue, self.rate = service, queue, rate
        self.tag = queue.key("")
        self.now = time.time()
        self.ends = range(int(self.now) // 60 * 60 - 60 * (len(arrivals) - 2), int(self.now) + 1, 60)
        came = (self.ends[0] + 60 * (minute - 1 + step / count) for minute, count in enumerate(arrivals) for step in range(count))
        self.joined = [moment for moment in came if moment < self.now]
        self.let_in = []
        for moment in self.joined:
            turn = max(moment, self.let_in[-1] + 60 / rate if self.let_in else moment)
            if turn >= self.now:
                break
            self.let_in.append(turn)

    def write(self):
        commands = [f"DEL {self.tag}minutes"]
        for number, joined in enumerate(self.joined):
            visitor, joined_ms = f"c-{48_211 + 7 * number}", int(joined * 1000)
            if number < len(self.let_in):
                person, let_in_ms = compact(str(uuid.uuid4())), int(self.let_in[number] * 1000)
                commands.append(f'HSET {self.tag}entries {person} "r {number + 1} {joined_ms} {let_in_ms} - {visitor}"')
                commands.append(f"ZADD {self.tag}ready {let_in_ms} {person}")
            else:
                person = compact(self.queue.join(visitor)["id"])
                commands.append(f'HSET {self.tag}entries {person} "{joined_ms} {visitor}"')
        for end in self.ends:
            joined, let_in, before = bisect.bisect(self.joined, end), bisect.bisect(self.let_in, end), bisect.bisect(self.let_in, end - 60)
            waits = sorted(map(operator.sub, self.let_in[before:let_in], self.joined[before:let_in]))
            p50, p95 = (int(1000 * waits[int(len(waits) * share)]) if waits else -1 for share in (0.5, 0.95))
            commands.append(f"XADD {self.tag}minutes {end}000-0 w {joined - let_in} j {joined} r {let_in} e 0 c 0 p50 {p50} p95 {p95}")
        commands.append(f"HSET {self.tag}counters sequence {len(self.joined)} released {len(self.let_in)}")
        replies = subprocess.run(
            ["redis-cli", "-s", self.service.folder / "redis.sock"], input="\n".join(commands), capture_output=True, text=True, check=True)
        assert "ERR" not in replies.stdout, replies.stdout
        self.queue.set(max_users_per_minute=self.rate)


def crowd(*stretches):
    """How many come by the minute, about: stretches of (minutes, people)."""
    chance = random.Random(7)
    return [max(0, round(chance.gauss(people, people**0.5))) for minutes, people in stretches for _ in range(minutes)]


CROWDS = [
    (60, crowd((20, 20), (3, 180), (4, 110), (35, 54))), (30, crowd((30, 22), (20, 34), (12, 26))), (15, crowd((62, 15.5))),
    (6, crowd((25, 4), (15, 8), (22, 5))),
]


@pytest.mark.failed_requests
@pytest.mark.parametrize("lang, operator_email, names", [
    ("en", "nora@example.com", ["Sneaker drop", "Concert, early access", "Visa appointments", "Repairs"]),
    ("ar", "noor@example.com", ["إطلاق الأحذية الجديدة", "تذاكر الحفل", "مواعيد التأشيرات", "الصيانة"]),
])
def test_dashboard(service, driver, folder, lang, operator_email, names):
    application = service.make_application(name="متجر المدينة" if lang == "ar" else "City shop")
    queues = [service.make_queue(application, name=name) for name in names]
    for queue, (rate, arrivals) in zip(queues, CROWDS):
        Hour(service, queue, arrivals, rate).write()
    account = {"email": operator_email, "password": secrets.token_urlsafe(18)}
    service.call("POST", "/users/", account | {"role": "app_admin", "application_id": application["id"]})
    page = Dashboard(driver, service)
    page.open(f"/admin?lang={lang}").sign_in(account["password"], account["email"]).find(".tiles")
    if lang == "ar":
        take(driver, folder / "dashboard-phone-arabic.png", width=375, height=780, scale=2)
        return
    take(driver, folder / "dashboard.png", width=1200, height=1060)
    page.open(f"/admin/queues/{queues[0].id}").find("[data-live=people] a")
    take(driver, folder / "dashboard-queue.png", height=1180)
