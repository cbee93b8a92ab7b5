"""Waiting for something that will come, with a limit."""

import time


def until(condition, what, seconds=30):
    """Asks `condition` until it gives something true, and returns that. Fails naming `what` after `seconds`."""
    limit = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)
