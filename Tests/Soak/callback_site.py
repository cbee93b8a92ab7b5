"""A site's end of callbacks: a real HTTP server whose paths answer as sites do, well and badly."""

import http.server
import threading
import time


class CallbackSite:
    """`/ok` takes a callback, `/fails` answers 500, `/slow` takes its time, `/hangs-up` closes without an answer, all else is 410."""

    def __init__(self):
        site = self
        self.bodies = []  # of those taken, until `forget`
        self.count = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                site.count += 1
                if self.path == "/hangs-up":
                    self.close_connection = True
                    return
                if self.path == "/slow":
                    time.sleep(0.3)
                if self.path in ("/ok", "/slow"):
                    site.bodies.append(body)
                self.send_response({"/ok": 200, "/slow": 200, "/fails": 500}.get(self.path, 410))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def forget(self):
        self.bodies.clear()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
