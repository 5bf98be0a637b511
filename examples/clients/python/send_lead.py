#!/usr/bin/env python3
"""Posts a lead to lendswift-relay, and posts it again until the outcome is final.

Follows "Retrying safely" in docs/integrating.md. Needs Python 3.9 or later and no packages.
"""

import argparse
import email.utils
import http.client
import json
import os
import random
import re
import sys
import time
import urllib.error
import urllib.request

EXIT_CODES = {"accepted": 0, "refused": 3, "fix": 4, "ask_operator": 5, "later": 6}

EPILOG = """\
environment:
  LEADS_URL  the URL to post to, which contains the account's name: https://…/v1/accounts/acme/leads
  LEADS_KEY  the account's API key

exit codes, and the "result" in the JSON that goes to stdout:
  0  accepted      AI Rudder took the lead. Do not post it again.
  1                The client crashed. Treat it like 6.
  2                Wrong usage. Nothing was posted.
  3  refused       AI Rudder rejected the lead. Nobody is called.
  4  fix           The request, the API key or the URL is wrong. This post called nobody.
                   If the error is "idempotency_key_reused", the lead was changed after it was sent: do not
                   post it under another id.
  5  ask_operator  The relay's operator must act: send them the request_id. If the outcome is "unknown",
                   the consumer may have been called: do not change the lead.
  6  later         No final outcome yet. Post the same lead again later, unchanged, and not before "retry_after"
                   seconds have passed. If the error is "recently_called", another lead with this phone number
                   was sent: you can also drop this one.
"""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Returns a redirect as it is. The relay sends none, and the API key must not go to another host."""

    def redirect_request(self, *args):
        return None


OPENER = urllib.request.build_opener(NoRedirect)


def send_lead(url, key, lead_id, lead, *, timeout=35, max_posts=8, first_wait=5, longest_wait=60, patience=120):
    """Posts `lead` (JSON as bytes) until the outcome is final, and returns the result as a dict.

    All durations are in seconds. A `retry-after` above `patience` ends the retries: the result is "later".
    """
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Idempotency-Key": lead_id}
    for posts in range(1, max_posts + 1):
        response = post(urllib.request.Request(url, lead, headers, method="POST"), timeout)
        print(f"post {posts}: {json.dumps(response)}", file=sys.stderr)
        result = result_of(response.get("status"), response.get("outcome"))
        # The jitter keeps many clients from posting at the same moment.
        backoff = min(first_wait * 2 ** (posts - 1), longest_wait) * random.uniform(1, 1.5)
        wait = max(backoff, response.get("retry_after", 0))
        if result or posts == max_posts or wait > patience:
            return {"result": result or "later", "lead_id": lead_id, "posts": posts, **response}
        time.sleep(wait)


def result_of(status, outcome):
    """What a response means, or None if the same lead should be posted again."""
    if outcome in ("accepted", "refused"):
        return outcome
    if outcome == "pending" or (outcome == "not_sent" and status in (409, 429, 503)):
        return None
    if outcome == "not_sent":
        return "fix" if status < 500 else "ask_operator"
    if outcome is not None:
        return "ask_operator"  # "unknown", or an outcome that this client does not know
    # No response, or not the relay's. API Gateway's own 429 and 5xx are worth a retry.
    return None if status is None or status in (408, 429) or status >= 500 else "fix"


def post(request, timeout):
    """One post. Without a response it returns only a "failure": AI Rudder may have the lead or not."""
    try:
        try:
            response = OPENER.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            status, headers, text = response.status, response.headers, response.read()
    except (OSError, http.client.HTTPException) as error:
        return {"failure": repr(error)}
    found = {"status": status, "outcome": headers["lead-outcome"], "request_id": headers["request-id"]}
    found["retry_after"] = seconds(headers["retry-after"])
    return {name: value for name, value in {**found, **details(text)}.items() if value is not None}


def details(text):
    """The error and the faults, if the relay wrote the body. AI Rudder's envelope may have anything in its place."""
    try:
        body = json.loads(text)["body"]
        return {"error": body.get("error"), "fields": body.get("fields") or None}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def seconds(retry_after):
    """A retry-after (RFC 9110, 10.2.3: seconds or a date) as seconds from now; None if it is absent or invalid."""
    try:
        if re.fullmatch("[0-9]+", retry_after):
            return int(retry_after)
        return max(0, round(email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()))
    except (TypeError, ValueError):
        return None


def main():
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=style)
    parser.add_argument("--id", required=True, help="your own id of the lead, the same for each post of this lead")
    parser.add_argument("file", nargs="?", default="-", help="file with the lead as JSON (default: stdin)")
    args = parser.parse_args()
    url, key = os.environ.get("LEADS_URL", ""), os.environ.get("LEADS_KEY", "")
    if not re.fullmatch(r"https?://[!-z|~]+", url) or not re.fullmatch(r"[!-~]+", key):
        parser.error("LEADS_URL must be the URL with the account's name filled in, and LEADS_KEY the API key")
    if not re.fullmatch(r"[!-~]{1,255}", args.id):
        parser.error("the id must have 1 to 255 visible ASCII characters")
    try:
        with sys.stdin.buffer if args.file == "-" else open(args.file, "rb") as file:
            lead = file.read()
    except OSError as error:
        parser.error(str(error))
    result = send_lead(url, key, args.id, lead)
    print(json.dumps(result, indent=2))
    return EXIT_CODES[result["result"]]


if __name__ == "__main__":
    sys.exit(main())
