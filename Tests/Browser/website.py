"""A website that uses the waiting room, on another origin than the gateway: pages, or functions that make them, by path."""

import dataclasses
import time
import urllib.parse

from http_site import Handler, Site


@dataclasses.dataclass
class Page:
    body: str
    status: int = 200
    kind: str = "text/html"
    headers: dict = dataclasses.field(default_factory=dict)


class Website(Site):
    def __init__(self):
        self.pages = {"/landing": Page("<!doctype html><title>Landing</title><h1>Welcome in</h1>")}
        self.posts = []  # (path, headers) of every POST
        self.bodies = []  # what each brought
        self.ahead = 0  # seconds by which its clock is fast
        super().__init__(PageHandler)


class PageHandler(Handler):
    def do_GET(self):
        page = self.site.pages.get(urllib.parse.urlsplit(self.path).path, Page("", 204))
        page = page() if callable(page) else page
        body = page.body.encode()
        self.send_response(page.status)
        self.send_header("Content-Type", f"{page.kind}; charset=utf-8")
        if page.status != 204:
            self.send_header("Content-Length", str(len(body)))
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.site.bodies.append(self.read_body())
        self.site.posts.append((self.path, self.headers))
        self.do_GET()

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + self.site.ahead)
