#!/usr/bin/env python3
"""Simulates leads that arrive at random (Poisson) at the function's processes, and prints the table of docs/performance.md.

Every lead takes the same time, a process serves one lead at a time, Lambda prefers the process that became idle last, and
there is one account. Five minutes without counting are followed by ten minutes.
"""

import argparse
import collections
import random


def simulate(rate, lead, keep_alive, secret_ttl, begin=300, end=900):
    """Returns the most processes at a time, the share of connections reused, and the secret's reads per second."""
    draw = random.Random(1)
    busy, idle = collections.deque(), []  # Since when each is idle, and when it read the secret; the latest last.
    now = most = leads = reuses = reads = 0
    while (now := now + draw.expovariate(rate)) < end:
        while busy and busy[0][0] <= now:
            idle.append(busy.popleft())
        since, read = idle.pop() if idle else (None, None)
        is_read = read is None or now - read >= secret_ttl
        busy.append((now + lead, now if is_read else read))
        if now >= begin:
            leads += 1
            most = max(most, len(busy))
            reuses += since is not None and now - since <= keep_alive
            reads += is_read
    return most, reuses / leads, reads / (end - begin)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
parser.add_argument("rates", nargs="*", type=float, default=[1, 10, 100, 1000, 10000], help="leads per second")
parser.add_argument("--lead", type=float, default=0.5, help="seconds that a lead takes")
parser.add_argument("--keep-alive", type=float, default=1, help="UPSTREAM_KEEP_ALIVE_MS in seconds")
parser.add_argument("--secret-ttl", type=float, default=300, help="SECRET_TTL_SECONDS")
options = parser.parse_args()
print("leads per second | processes at a time | connections reused | secret reads per second")
for rate in options.rates:
    most, reused, reads = simulate(rate, options.lead, options.keep_alive, options.secret_ttl)
    print(f"{rate:16g} | {most:19} | {reused:18.0%} | {reads:.2f}", flush=True)
