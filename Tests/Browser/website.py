"""A website that uses the waiting room, on another origin than the gateway: pages, or functions that make them, by path."""

import dataclasses
import http.server
import threading
import time
import urllib.parse


@dataclasses.dataclass
class Page:
    body: str
    status: int = 200
    kind: str = "text/html"
    headers: dict = dataclasses.field(default_factory=dict)


class Website:
    def __init__(self):
        self.pages = {"/landing": Page("<!doctype html><title>Landing</title><h1>Welcome in</h1>")}
        self.posts = []  # (path, headers) of every POST
        self.bodies = []  # what each brought
        self.ahead = 0  # seconds by which its clock is fast
        website = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = website.pages.get(urllib.parse.urlsplit(self.path).path, Page("", 204))
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
                website.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                website.posts.append((self.path, self.headers))
                self.do_GET()

            def date_time_string(self, timestamp=None):
                return super().date_time_string(time.time() + website.ahead)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
