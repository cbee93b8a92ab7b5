"""A sale as the dashboards should show it, trouble included: visitors who come, ask and fall silent, a site that takes the callbacks and
one that does not."""

import threading
import time
import urllib.parse

from http_site import Handler, Site
from service import Answer


class SaleSite(Site):
    """What the service calls: `/callback` takes its time, `/broken` fails, everything else is done at once."""

    def __init__(self):
        self.posts = {}  # bodies by path
        super().__init__(PostHandler)


class PostHandler(Handler):
    def do_POST(self):
        body = self.read_body().decode()
        self.site.posts.setdefault(self.path, []).append(body)
        if self.path == "/callback":
            time.sleep(0.3)
        self.answer(500 if self.path == "/broken" else 410 if "NobodyReadsThis" in body else 200)


class Sale:
    """Goes on until stopped: a few people a second, so that every scrape sees something new."""

    def __init__(self, service, site):
        self.service = service
        self.shop = service.make_application(callback_url=f"{site.address}/callback")
        careless = service.make_application(name="Careless", callback_url=f"{site.address}/broken")
        self.fast = service.make_queue(self.shop, name="Fast", max_users_per_minute=300)
        self.unheard = service.make_queue(careless, name="Unheard", max_users_per_minute=60)
        self.desk = service.make_queue(self.shop, name="By hand")
        self.forgetful = service.make_queue(self.shop, name="Forgetful", wait_ttl_seconds=1)
        self.queues = [self.fast, self.unheard, self.desk, self.forgetful]
        self.error = None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def add_queue(self):
        self.queues.append(self.service.make_queue(self.shop, name="Late", max_users_per_minute=60))

    def run(self):
        try:
            impatient = self.desk.join("impatient")["token"]
            visitor = 0
            while not self.over.wait(0.1):
                visitor += 1
                self.queues[visitor % len(self.queues)].join(f"visitor-{visitor}")
                self.fast.join(f"another-{visitor}")
                self.poll(impatient)
        except Exception as error:
            self.error = error

    def poll(self, token):
        """More often than a visitor may."""
        try:
            self.service.call("GET", f"/queue_status?{urllib.parse.urlencode({'token': token})}")
        except Answer as refusal:
            if refusal.status != 429:
                raise

    def stop(self):
        self.over.set()
        self.thread.join()
        assert self.error is None, self.error
