#!/usr/bin/env python3
"""Checks the places that an Anteroom queue drew for those who came before it opened.

    verify_shuffle.py https://queue.example.com/queues/<queue id>/shuffle [entries.txt]

The address tells the seed once the queue has opened. entries.txt has the ids of all who came early, one a line, in the order in which they were
to be let in; without it only the seed is held against its commitment. With the ids of some it is checked that these stand in the right order
among themselves. Needs nothing but Python.

A lot gives a number between 0 and `slots`. Who draws one that somebody has gets the next that is free, so that of people with neighbouring
numbers (a few among a hundred thousand) those who joined first stand first. They are marked with a *.
"""

import hashlib
import json
import pathlib
import sys
import urllib.request


def lot(seed, entry):
    return int(hashlib.sha256(f"{seed}:{entry}".encode()).hexdigest()[:12], 16)


def runs(entries, number):
    """For each entry the first number of its run: people of whom each draws a number that one before them may have."""
    first, free, found = None, 0, {}
    for entry in sorted(entries, key=number):
        if number(entry) >= free:
            first = free = number(entry)
        found[entry] = first
        free += 1
    return found


def main(address, *files):
    with urllib.request.urlopen(address, timeout=10) as answer:
        draw = json.load(answer)
    seed = draw["seed"]
    if seed is None:
        sys.exit(f"There is no seed yet: the queue has not opened. Keep its commitment until then: {draw['commitment']}")
    if hashlib.sha256(seed.encode()).hexdigest() != draw["commitment"]:
        sys.exit("The seed is not the one that was committed to")
    print(f"The seed is the one that was committed to; {draw['count']} people drew a lot")
    if not files:
        return
    entries = pathlib.Path(files[0]).read_text().split()
    run = runs(entries, lambda entry: int(lot(seed, entry) * draw["slots"] / 2**48))
    sizes = {}
    for entry in entries:
        sizes[run[entry]] = sizes.get(run[entry], 0) + 1
    for place, (listed, right) in enumerate(zip(entries, sorted(entries, key=run.get)), 1):
        if run[listed] != run[right]:
            sys.exit(f"At place {place} is {listed}, where the seed puts {right}")
        print(f"{place}{'*' if sizes[run[listed]] > 1 else ''}\t{listed}\t{lot(seed, listed):012x}")
    print(f"all {len(entries)} places are as the seed says")


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
