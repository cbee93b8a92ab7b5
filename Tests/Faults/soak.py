"""How long and how large: the short form of `make test`, or the long one of `make soak`."""

import os

LONG = os.environ.get("SOAK") == "1"


def sized(short, long):
    return long if LONG else short
