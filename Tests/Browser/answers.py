"""Answers of the service, as a website gives them in its stead."""

import json

from website import Page

WAITING = {
    "id": "6a1f7b0c-0000-4000-8000-000000000001", "token": "secret", "status": "waiting", "redirect_url": None, "position": 4,
    "eta_seconds": 200, "queue_length": 9, "poll_after_ms": 100,
}
# Notes how long every pause is meant to be, and makes it short. The 15 s are the limit of one request. Polls are what this is about.
HASTE = """
delete window.EventSource;
window.pauses = [];
const pause = window.setTimeout;
window.setTimeout = (action, wait, ...rest) => {
  if (wait === 15000) return pause(action, wait, ...rest);
  window.pauses.push(wait);
  return pause(action, Math.min(wait, 30), ...rest);
};
"""


def answer(body, status=200, **headers):
    return Page(json.dumps(body), status, "application/json", headers)


def refusal(code, status=403):
    return answer({"detail": "No", "code": code}, status)
