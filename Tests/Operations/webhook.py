"""A chat's end of a webhook: a real HTTP server, and what was posted to it."""

import html
import http.server
import json
import threading

PATH = "/services/T0/B0/secret-of-the-webhook"


class Webhook:
    def __init__(self, *answers):
        """`answers` are the status of each call to come; 200 after that."""
        self.posts = []
        self.answers = list(answers)
        self.may_answer = threading.Event()
        self.may_answer.set()
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.path == PATH and self.headers["Content-Type"] == "application/json"
                webhook.posts.append(body["text"])
                webhook.may_answer.wait(60)
                self.send_response(webhook.answers.pop(0) if webhook.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}{PATH}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def titles(self):
        """The first line of each post, as people see it."""
        return [html.unescape(post.split("\n")[0]) for post in self.posts]

    def stop(self):
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()
