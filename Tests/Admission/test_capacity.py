"""How many are inside, with several gateways and workers: who leaves makes room, and never are there more than may be."""

import concurrent.futures
import random
import time
import urllib.error
import urllib.request

import pytest
import redis

from deadline import until
from service import Service

CAPACITY = 20


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("capacity"))
    try:
        service.start()
        service.start_one("gateway")
        for _ in range(2):
            service.start_one("releaser")
        service.wait_for(service.gateways[1])
        yield service
    finally:
        service.stop()


class Room:
    """What Redis keeps of a queue, read beside the service."""

    def __init__(self, queue):
        self.queue = queue
        self.redis = redis.Redis(unix_socket_path=str(queue.service.folder / "redis.sock"), decode_responses=True)

    def now(self):
        seconds, microseconds = self.redis.time()
        return seconds * 1000 + microseconds // 1000

    def inside(self):
        return self.redis.zcount(self.queue.key("sessions"), f"({self.now()}", "+inf")

    def let_in(self):
        return int(self.redis.hget(self.queue.key("counters"), "released") or 0)

    def everybody(self):
        return self.redis.zrange(self.queue.key("ready"), 0, -1)


def gate(service, queue, text):
    """The status that one of the gateways gives for a pass, and the cookie."""
    request = urllib.request.Request(
        f"{random.choice(service.gateways)}/gate/{queue.id}", headers={"Cookie": f"queue_pass={text}", "X-Original-URI": "/buy"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers.get("Set-Cookie")
    except urllib.error.HTTPError as error:
        return error.code, None


def poll(service, place):
    return service.call("GET", f"/queue_status?token={place['token']}")


@pytest.mark.parametrize("queue", [{"max_active_users": CAPACITY, "session_seconds": 3, "max_users_per_minute": 60_000}], indirect=True)
def test_never_more_than_may_be_inside(service, queue):
    room = Room(queue)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda number: queue.join(f"visitor-{number}"), range(90)))
    stays, most = {}, 0
    deadline = time.monotonic() + 60
    while room.let_in() < len(places):
        assert time.monotonic() < deadline, f"{room.let_in()} let in"
        most = max(most, room.inside())
        # Some stay longer than one session and are renewed at the gate; some leave before its end.
        for place in places:
            if place["id"] not in stays and place["id"] in room.everybody():
                entry = poll(service, place)
                stays[place["id"]] = [random.choice(("stays", "leaves", "idles")), entry.get("pass"), time.monotonic() + 5]
        for entry, stay in list(stays.items()):
            kind, text, until_when = stay
            if kind == "stays" and text and time.monotonic() < until_when:
                status, cookie = gate(service, queue, text)
                if cookie:
                    stay[1] = cookie.split(";")[0].removeprefix("queue_pass=")
            elif kind == "leaves":
                service.call("POST", f"/sessions/{entry}/end")
                stay[0] = "left"
        most = max(most, room.inside())
        time.sleep(0.05)
    assert most == CAPACITY


@pytest.mark.parametrize("queue", [{"max_active_users": 2, "session_seconds": 3600, "max_users_per_minute": 60}], indirect=True)
def test_who_leaves_makes_room_at_once(service, queue):
    room = Room(queue)
    places = [queue.join(f"visitor-{number}") for number in range(4)]
    until(lambda: room.let_in() == 2, "two are inside")
    until(lambda: poll(service, places[2]).get("phase") == "full", "the third is told so", seconds=5)
    time.sleep(1)
    assert room.let_in() == 2
    status, _ = gate(service, queue, poll(service, places[0])["pass"])
    assert status == 204
    text = poll(service, places[0])["pass"]
    service.call("POST", f"/sessions/{places[0]['id']}/end")
    until(lambda: room.let_in() == 3, "the next goes in", seconds=3)
    until(lambda: gate(service, queue, text)[0] == 401, "who left is outside", seconds=3)
    queue.set(max_active_users=0)
    until(lambda: room.let_in() == 4, "without a capacity all go")


def test_the_line_goes_out_first_when_it_is_passed_through(service, queue):
    places = [queue.join(f"visitor-{number}") for number in range(30)]
    room = Room(queue)
    queue.set(state="passthrough")
    until(lambda: room.let_in() == 30, "the line is out")
    assert room.everybody() and poll(service, places[29])["status"] == "ready"
    # A gateway may know the settings of a second ago.
    until(lambda: queue.join("straight")["status"] == "ready", "straight through", seconds=5)
    queue.set(state="open")
    until(lambda: queue.join("waits")["status"] == "waiting", "a line again", seconds=5)


@pytest.mark.parametrize("queue", [{"activation": "threshold", "max_users_per_minute": 600, "max_active_users": 5}], indirect=True)
def test_the_line_forms_only_beyond_the_threshold(service, queue):
    statuses = [queue.join(f"visitor-{number}")["status"] for number in range(8)]
    assert statuses == ["ready"] * 5 + ["waiting"] * 3


def test_queues_of_one_application_share_its_rate(service):
    rate = 1200
    shop = service.make_application(max_users_per_minute=rate)
    rooms = {
        priority: Room(service.make_queue(shop, priority=priority, max_users_per_minute=0, wait_ttl_seconds=0)) for priority in (1, 2, 5)}
    for room in rooms.values():
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: room.queue.join(f"visitor-{number}"), range(150)))
    began = time.monotonic()
    for room in rooms.values():
        room.queue.set(max_users_per_minute=6000)
    until(lambda: sum(room.let_in() for room in rooms.values()) >= 160, "people go in")
    passed = time.monotonic() - began
    went = {priority: room.let_in() for priority, room in rooms.items()}
    assert sum(went.values()) <= rate / 60 * passed + rate / 60 + 1
    # While all three are asking, by their weights; each has a head start of one.
    for priority, count in went.items():
        assert abs(count - 160 * priority / 8) <= 12, went
    # What one does not use is the others'.
    rooms[5].queue.set(state="paused")
    before = rooms[2].let_in(), time.monotonic()
    until(lambda: rooms[2].let_in() >= min(150, before[0] + 40), "the second has the third's part")
    assert sum(room.let_in() for room in rooms.values()) <= rate / 60 * (time.monotonic() - began) + rate / 60 + 1


def forecasts(service, queue):
    """Of the forecasts that workers have judged: how many, and how far off they were on average."""
    count = total = 0.0
    for address in service.metrics["releaser"]:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if queue.id in line and line.startswith("queue_eta_error_ratio_sum"):
                    total += float(line.rsplit(" ", 1)[1])
                if queue.id in line and line.startswith("queue_eta_error_ratio_count"):
                    count += float(line.rsplit(" ", 1)[1])
    return count, total / max(count, 1)


@pytest.mark.parametrize("queue", [{"max_users_per_minute": 0, "max_active_users": 1000}], indirect=True)
def test_what_is_told_of_waiting_times_comes_true(service, queue):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda number: queue.join(f"visitor-{number}"), range(150)))
    queue.set(max_users_per_minute=600)
    last = max(places, key=lambda place: place["position"])
    told = until(lambda: poll(service, last)["eta_seconds"], "a forecast")
    began = time.monotonic()
    room = Room(queue)
    # Some give up on the way.
    for place in places[40:140:10]:
        service.call("POST", "/cancel", {"token": place["token"]})
    until(lambda: room.let_in() == 140, "everybody is in", seconds=40)
    assert abs(told - (time.monotonic() - began)) <= 4
    count, off = until(lambda: forecasts(service, queue) if forecasts(service, queue)[0] else None, "a forecast is judged")
    assert off <= 0.3, (count, off)
