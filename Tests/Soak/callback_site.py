"""A site's end of callbacks: a real HTTP server whose paths answer as sites do, well and badly."""

import time

from http_site import Handler, Site


class CallbackSite(Site):
    """`/ok` takes a callback, `/fails` answers 500, `/slow` takes its time, `/hangs-up` closes without an answer, all else is 410."""

    def __init__(self):
        self.bodies = []  # of those taken, until `forget`
        self.count = 0
        super().__init__(CallbackHandler)

    def forget(self):
        self.bodies.clear()


class CallbackHandler(Handler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.read_body()
        self.site.count += 1
        if self.path == "/hangs-up":
            self.close_connection = True
            return
        if self.path == "/slow":
            time.sleep(0.3)
        if self.path in ("/ok", "/slow"):
            self.site.bodies.append(body)
        self.answer({"/ok": 200, "/slow": 200, "/fails": 500}.get(self.path, 410))
