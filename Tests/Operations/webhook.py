"""A chat's end of a webhook: a real HTTP server, and what was posted to it."""

import html
import json
import threading

from http_site import Handler, Site

PATH = "/services/T0/B0/secret-of-the-webhook"


class Webhook(Site):
    def __init__(self, *answers):
        """`answers` are the status of each call to come; 200 after that."""
        self.posts = []
        self.answers = list(answers)
        self.may_answer = threading.Event()
        self.may_answer.set()
        super().__init__(PostHandler)
        self.url = self.address + PATH

    def titles(self):
        """The first line of each post, as people see it."""
        return [html.unescape(post.split("\n")[0]) for post in self.posts]

    def stop(self):
        self.may_answer.set()
        super().stop()


class PostHandler(Handler):
    def do_POST(self):
        body = json.loads(self.read_body())
        assert self.path == PATH and self.headers["Content-Type"] == "application/json"
        self.site.posts.append(body["text"])
        self.site.may_answer.wait(60)
        self.answer(self.site.answers.pop(0) if self.site.answers else 200)
