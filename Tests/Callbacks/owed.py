"""An application whose visitors are let in at once, and the callbacks that are owed for it."""

from deadline import until


class Owed:
    def __init__(self, service, url, visitors=1):
        self.service = service
        self.application = service.make_application(callback_url=url)
        self.queue = service.make_queue(self.application, max_users_per_minute=60_000)
        self.entries = []
        self.let_in(visitors)

    def let_in(self, visitors=1):
        """The entries of as many visitors more."""
        joined = [self.queue.join(f"v{len(self.entries) + number}")["id"] for number in range(visitors)]
        self.entries += joined
        return joined

    def callbacks(self, state=None):
        return self.service.call("GET", f"/callbacks?queue_id={self.queue.id}&limit=200" + (f"&state={state}" if state else ""))

    def all_settled(self):
        """All callbacks, those of the latest releases first, once none is pending."""

        def settled():
            found = self.callbacks()
            return len(found) == len(self.entries) and all(callback["state"] != "pending" for callback in found) and found

        return until(settled, f"callbacks to {self.application['callback_url']} are settled")

    def settled(self):
        [callback] = self.all_settled()
        return callback

    def errors(self):
        """What the dashboard says of its callbacks that were given up."""
        found = self.service.call("GET", "/dashboard/callback_errors?limit=100")
        return [error for error in found if error["queue_id"] == self.queue.id]

    def resend(self):
        return self.service.call("POST", f"/callbacks/resend?application_id={self.application['id']}")["resent"]
