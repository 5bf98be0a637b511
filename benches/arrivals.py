#!/usr/bin/env python3
"""Simulates leads that arrive at random (Poisson) at the function's processes.

Prints, for each rate, how many processes work at a time, how many leads reuse a connection to AI Rudder, and how often a
process reads an account's secret. docs/performance.md quotes the defaults. Assumptions: every lead takes the same time, a
process serves one lead at a time, Lambda prefers the process that became idle last, and there is one account.
"""

import argparse
import collections
import random


def simulate(rate, arguments):
    """Serves the leads of one rate. Returns the most processes at a time, the share of reuses, and the reads per second."""
    draw = random.Random(arguments.seed)
    busy = collections.deque()  # (when it becomes idle, when it read the secret), the next one first
    idle = []  # (since when, when it read the secret), the latest last
    now = most = leads = reuses = reads = 0
    end = arguments.warm_up + arguments.seconds
    while (now := now + draw.expovariate(rate)) < end:
        while busy and busy[0][0] <= now:
            idle.append(busy.popleft())
        since, read = idle.pop() if idle else (None, None)
        is_read = read is None or now - read >= arguments.secret_ttl
        busy.append((now + arguments.lead, now if is_read else read))
        if now >= arguments.warm_up:
            leads += 1
            most = max(most, len(busy))
            reuses += since is not None and now - since <= arguments.keep_alive
            reads += is_read
    return most, reuses / leads, reads / arguments.seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("rates", nargs="*", type=float, default=[1, 10, 100, 1000, 10000], help="leads per second")
    parser.add_argument("--lead", type=float, default=0.5, help="seconds that a lead takes")
    parser.add_argument("--keep-alive", type=float, default=1, help="UPSTREAM_KEEP_ALIVE_MS in seconds")
    parser.add_argument("--secret-ttl", type=float, default=300, help="SECRET_TTL_SECONDS")
    parser.add_argument("--warm-up", type=float, default=300, help="seconds before counting begins")
    parser.add_argument("--seconds", type=float, default=600, help="seconds to count")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random numbers")
    arguments = parser.parse_args()
    print("leads per second | processes at a time | connections reused | secret reads per second")
    for rate in arguments.rates:
        most, reused, reads = simulate(rate, arguments)
        print(f"{rate:16g} | {most:19} | {reused:18.0%} | {reads:.2f}", flush=True)


if __name__ == "__main__":
    main()
