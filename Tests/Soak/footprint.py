"""What a running service takes: memory, descriptors and threads of its processes, and memory of Redis."""

import os
import pathlib

# Records that fill up to a bounded number of fields and stay.
SHORT = {"counters", "days", "incidents", "bucket", "durations", "desks", "shares"}


def of_process(pid):
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        "kB": int(status["VmRSS"].split()[0]), "descriptors": len(os.listdir(f"/proc/{pid}/fd")), "threads": int(status["Threads"]),
    }


def of_redis(redis):
    """Bytes of data without the streams, which grow to their bounds, and without what goes by itself."""
    redis.execute_command("MEMORY", "PURGE")
    aside = 0
    for key in redis.scan_iter(count=1000):
        if redis.type(key) == "stream" or redis.ttl(key) >= 0:
            aside += redis.memory_usage(key, samples=0) or 0
    info = redis.info("memory")
    return {"bytes": info["used_memory_dataset"] - aside, "used_memory": info["used_memory"], "keys": redis.dbsize()}


def sizes(redis):
    """Members of each key that has no life of its own and is no stream or short record."""
    count = {"hash": redis.hlen, "zset": redis.zcard, "list": redis.llen, "string": lambda _: 1}
    found = {}
    for key in redis.scan_iter(count=1000):
        kind = redis.type(key)
        if kind in count and redis.ttl(key) == -1 and key.rsplit(":", 1)[-1] not in SHORT:
            found[key] = count[kind](key)
    return found


def series(text):
    """Label sets of each metric in Prometheus's text, buckets of a histogram aside."""
    families = {}
    for line in text.splitlines():
        if line.startswith("#") or "le=\"" in line:
            continue
        name = line.split("{")[0].split(" ")[0]
        families[name] = families.get(name, 0) + 1
    return families
