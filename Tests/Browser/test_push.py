"""Pages that are told instead of asking, behind a real nginx: what it lets through decides how a page learns of its turn."""

import urllib.parse

import pytest

from deadline import until
from service import free_port

# Nothing is said of streams: this is how nginx is set up for any website, HTTP/1.0 and all.
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    {locations}
    location / {{ proxy_pass {service}; proxy_set_header Host $http_host; }}
  }}
}}
"""


class Nginx:
    def __init__(self, service, folder):
        self.service, self.folder = service, folder
        self.address = f"http://127.0.0.1:{free_port()}"

    def start(self, **refused):
        """Begins to answer, with a status of its own for each of the `refused` paths."""
        locations = " ".join(f"location = {path} {{ return {status}; }}" for path, status in refused.items())
        configuration = self.folder / "nginx.conf"
        configuration.write_text(NGINX.format(
            folder=self.folder, port=self.address.rsplit(":", 1)[1], service=self.service.address, locations=locations))
        self.process = self.service.launch("nginx", ["nginx", "-c", str(configuration)])
        self.service.wait_for(self.address)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.service.children.remove(self.process)

    def requests(self, path):
        """How often a path was asked for; nginx notes a stream when it is over."""
        return (self.folder / "access.log").read_text().count(f"GET {path}?")


@pytest.fixture
def nginx(service, tmp_path):
    nginx = Nginx(service, tmp_path)
    yield nginx
    nginx.stop()


def page(nginx, queue, website):
    return f"{nginx.address}/wait/{queue.id}?{urllib.parse.urlencode({'return_to': website.address + '/landing'})}"


def test_a_turn_is_told_without_a_single_poll(nginx, queue, room, website):
    nginx.start(**{"/queue_status": 500})
    ahead = queue.join("ahead")
    room.open(page(nginx, queue, website)).wait_for_place(2)
    queue.service.call("POST", "/cancel", {"token": ahead["token"]})
    room.wait_for_place(1)
    queue.set(max_users_per_minute=60)
    until(lambda: room.driver.current_url.startswith(f"{website.address}/landing"), "the way to the website")
    assert nginx.requests("/queue_status") == 0
    assert until(lambda: nginx.requests("/queue_status/stream"), "the stream's end") == 1


@pytest.mark.failed_requests
@pytest.mark.parametrize("status", [404, 500, 204])
def test_where_streams_are_blocked_the_page_polls(nginx, queue, room, website, status):
    nginx.start(**{"/queue_status/stream": status})
    ahead = queue.join("ahead")
    room.open(page(nginx, queue, website)).wait_for_place(2)
    queue.service.call("POST", "/cancel", {"token": ahead["token"]})
    room.wait_for_place(1)
    assert room.text("notice") == ""
    queue.set(max_users_per_minute=60)
    until(lambda: room.driver.current_url.startswith(f"{website.address}/landing"), "the way to the website")
    assert nginx.requests("/queue_status") >= 2
    assert nginx.requests("/queue_status/stream") == 1, "it was not tried again at once"


@pytest.mark.failed_requests
def test_a_proxy_that_goes_away_and_comes_back_costs_nothing(nginx, queue, room, website):
    nginx.start()
    room.open(page(nginx, queue, website)).wait_for_place(1)
    nginx.stop()
    until(lambda: room.text("notice").startswith("We lost contact"), "the notice")
    assert room.place == 1
    nginx.start()
    until(lambda: room.text("notice") == "", "contact again")
    queue.set(max_users_per_minute=60)
    until(lambda: room.driver.current_url.startswith(f"{website.address}/landing"), "the way to the website")
