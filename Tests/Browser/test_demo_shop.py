"""The demonstration shop, behind the real waiting room."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from selenium.webdriver.common.by import By

from deadline import until
from service import ROOT, free_port


class Shop:
    def __init__(self, service, folder):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.application = service.make_application(callback_url=f"{self.address}/callback")
        self.queue = service.make_queue(self.application)
        secret = folder / "secret"
        secret.write_text(self.application["secret_key"] + "\n")
        self.process = subprocess.Popen([
            sys.executable, ROOT / "demo" / "shop.py", "--port", str(self.port), "--gateway", service.address,
            "--queue", self.queue.id, "--secret-file", secret], stdout=subprocess.DEVNULL)
        until(self.board, "the shop to open")

    def board(self):
        try:
            with urllib.request.urlopen(f"{self.address}/board.json", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            assert self.process.poll() is None, "the shop ended"
            return None

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def shop(service, tmp_path):
    shop = Shop(service, tmp_path)
    yield shop
    shop.stop()


def test_buying_leads_through_the_waiting_room(shop, room):
    ahead = shop.queue.join("ahead")
    room.open(f"{shop.address}/").driver.find_element(By.LINK_TEXT, "Buy").click()
    room.wait_for_state("waiting").wait_for_place(2)
    shop.queue.set(max_users_per_minute=60)
    until(lambda: room.driver.title.startswith("Checkout"), "the checkout")
    assert room.driver.find_element(By.TAG_NAME, "h1").text == "You are in"
    board = until(lambda: shop.board()["admitted"] == 2 and shop.board(), "both callbacks")
    assert board["per_minute"] == 2
    assert ahead["visitor_id"][:6] in [line["visitor"] for line in board["last"]]


def test_checkout_is_closed_to_who_only_claims_to_be_let_in(shop, room):
    room.open(f"{shop.address}/checkout?turn=0")
    room.wait_for_state("waiting")
    assert room.driver.current_url.startswith(shop.queue.page().split("?")[0])


def test_unsigned_callback_lets_nobody_in(shop):
    request = urllib.request.Request(f"{shop.address}/callback", b'{"visitor_id": "me"}', {
        "webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == 401
    assert shop.board()["admitted"] == 0


def test_crowd_stands_in_line_and_leaves_when_told_to(service, shop):
    crowd = subprocess.Popen([
        sys.executable, ROOT / "demo" / "crowd.py", "--gateway", service.address, "--api-key", shop.application["api_key"],
        "--queue", shop.queue.id, "--visitors", "5"], stdout=subprocess.DEVNULL)
    until(lambda: shop.queue.length() == 5, "five visitors in line")
    crowd.terminate()
    assert crowd.wait(20) == 0
    assert shop.queue.length() == 0
