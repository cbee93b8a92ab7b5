"""A web site of a test: a real HTTP server on a port of its own, in this process."""

import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request; `site` is the site that it came to. Logs nothing."""

    site = None

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status):
        """An answer without a body."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Site:
    """Serves from the moment it is made until `stop`, each connection in a thread of its own."""

    def __init__(self, handler):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type(handler.__name__, (handler,), {"site": self}))
        self.port = self.server.server_port
        self.address = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
