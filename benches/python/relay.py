"""The relay's job in Python, to compare with: AWS's runtime client, boto3, and Powertools for AWS Lambda.

`python -m awslambdaric relay.handler`, in this folder. Modules are compiled once, into `__pycache__`, when they are
installed or first imported; ship it with the function. Of Powertools' variables, `POWERTOOLS_LOG_LEVEL` sets the log's
level; `POWERTOOLS_IDEMPOTENCY_DISABLED`, `POWERTOOLS_LOGGER_LOG_EVENT` and `POWERTOOLS_DEV` must not be set. Nothing is
traced, so `POWERTOOLS_TRACE_DISABLED` changes nothing.

What the relay does beyond it: an idempotency key stands for its lead, a lead whose sender died is answered `interrupted`, a
secret is read again for a key or a token that was refused and used on while it can't be read, and AI Rudder's `retry-after`
is passed on. All of it is work for leads that are not simply accepted, but for the key, a second item in each transaction.

No `APIGatewayHttpResolver` and no event source data class: there is one route, and a look at the event's dictionary
costs nothing at start-up.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import ssl
import time
import warnings
from typing import Any
from urllib.parse import quote

import boto3
import urllib3
from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
)
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError, TransformParameterError
from aws_lambda_powertools.utilities.parameters.secrets import SecretsProvider
from botocore.config import Config
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, ReadTimeoutError, SSLError

from lead import Malformed, Reading

Answer = dict[str, Any]

ROUTE = re.compile(r"/v1/accounts/([^/]+)/leads")
ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MEDIA_TYPE = re.compile(r"application/(?:[^;/\s]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
TRACE_ID = re.compile(r"[0-9A-Fa-f-]{16,64}")
MAX_BYTES = 64 * 1024
PREFIX = os.environ.get("SECRET_PREFIX") or "lendswift"
BASE_URL = os.environ["UPSTREAM_BASE_URL"].rstrip("/")
BASE_PATH = urllib3.util.parse_url(BASE_URL).path or ""
TABLE = os.environ["CLAIMS_TABLE"]

LOGGER = Logger(service="lendswift-relay")
NAMESPACE = "LendswiftRelay"

# Region, endpoints and credentials are in the environment, so botocore asks no metadata service. Of the two names that
# Lambda gives the region, it reads the other one.
AWS = Config(
    region_name=os.environ["AWS_REGION"],
    connect_timeout=2,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
    parameter_validation=False,
)
SECRETS = SecretsProvider(boto3_client=boto3.client("secretsmanager", config=AWS))

TLS = ssl.create_default_context()
if ca_file := os.environ.get("UPSTREAM_CA_FILE"):
    TLS.load_verify_locations(ca_file)
RUDDER = urllib3.PoolManager(ssl_context=TLS).connection_from_url(BASE_URL)
# `connection: close`: one that was idle while Lambda froze the process may break with a lead on it.
HEADERS = {"content-type": "application/json", "connection": "close", "user-agent": "lendswift-relay-python"}
# Only a connection that could not be made is tried again.
RETRIES = urllib3.Retry(connect=2, read=False, redirect=False, status=False, other=0, backoff_factor=0.05)


class Problem(Exception):
    """The answer where AI Rudder has none, or none that says that it took the lead."""

    def __init__(self, status: int, error: str, message: str, outcome: str = "not_sent", **more: Any) -> None:
        self.status, self.error, self.message, self.outcome = status, error, message, outcome
        self.fields: list[dict[str, str]] = more.pop("fields", [])
        self.headers = {name.replace("_", "-"): value for name, value in more.items()}

    def answer(self, request_id: str) -> Answer:
        """The answer in an envelope like AI Rudder's."""
        envelope = {
            "code": self.status,
            "message": self.message,
            "show_err": self.status < 500 and self.status not in (409, 429),
            "timestamp": int(time.time()),
            "body": {"error": self.error, "outcome": self.outcome, "fields": self.fields},
            "trace_id": request_id,
        }
        body = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False)
        return {
            "status": self.status,
            "outcome": self.outcome,
            "error": self.error,
            "headers": self.headers,
            "body": body,
        }


class NobodyCalled(Exception):
    """Makes Powertools forget the lead, so that it can be sent again."""


def unauthorized() -> Problem:
    message = "The account and its key do not match. Send the key as Authorization: Bearer <key>."
    return Problem(401, "unauthorized", message, www_authenticate='Bearer realm="lendswift-relay"')


def unavailable() -> Problem:
    message = "The relay can't work right now. Nothing was sent; send this lead again."
    return Problem(503, "temporarily_unavailable", message, retry_after="1")


def admit(event: dict[str, Any]) -> tuple[str, str]:
    """The account and the key of a request that may be about a lead. Nothing here looks into the body."""
    headers, body = event["headers"], event.get("body") or ""
    route = ROUTE.fullmatch(event["rawPath"])
    if not route:
        raise Problem(404, "not_found", "There is only POST /v1/accounts/{account}/leads.")
    if event["requestContext"]["http"]["method"] != "POST":
        raise Problem(405, "method_not_allowed", "A lead is sent with POST.", allow="POST")
    size = len(body) * 3 // 4 if event.get("isBase64Encoded") else len(body.encode(errors="replace"))
    if size > MAX_BYTES:
        raise Problem(413, "body_too_large", "A lead has at most 64 KiB.")
    if not MEDIA_TYPE.fullmatch(headers.get("content-type", "")) or "content-encoding" in headers:
        message = "A lead is sent as application/json in UTF-8, without a content encoding such as gzip."
        raise Problem(415, "unsupported_media_type", message)
    if not ACCOUNT.fullmatch(route[1]):
        raise unauthorized()
    if not IDEMPOTENCY_KEY.fullmatch(headers.get("idempotency-key", "none")):
        message = "An Idempotency-Key has 1 to 255 visible ASCII characters and no space."
        raise Problem(400, "invalid_idempotency_key", message)
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise unauthorized()
    return route[1], key


def read(event: dict[str, Any]) -> Reading:
    """The lead that was posted, or its faults."""
    body = event.get("body") or ""
    try:
        return Reading(base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else body)
    except Malformed as malformed:
        cause = str(malformed)
    except ValueError:
        cause = "the body is not UTF-8, or is marked as base64 and is not"
    raise Problem(400, "malformed_json", f"The lead can't be read: {cause}.")


def count(metric: str, dimension: str, value: str) -> None:
    """Counts one in CloudWatch's embedded metric format."""
    with single_metric(name=metric, unit=MetricUnit.Count, value=1, namespace=NAMESPACE) as counted:
        counted.add_dimension(name=dimension, value=value)


def token_of(account: str, key: str) -> str:
    """The account's token, for who has its key."""
    name = f"{PREFIX}/{account}"
    source = "cached" if SECRETS.has_not_expired_in_cache((name, "json", False)) else "read"
    try:
        secret: Any = SECRETS.get(name, max_age=300, transform="json")
        digests = [digest.lower().encode() for digest in secret["api_key_sha256"]]
        token: str = secret["lendswift_token"]
    except GetParameterError as error:
        code = getattr(error.__context__, "response", {}).get("Error", {}).get("Code")
        known = code in ("ResourceNotFoundException", "AccessDeniedException")
        raise (unauthorized() if known else unavailable()) from None
    except (TransformParameterError, KeyError, TypeError, AttributeError):
        LOGGER.error("the account's secret is malformed", account=account)
        raise unauthorized() from None
    digest = hashlib.sha256(key.encode()).hexdigest().encode()
    if not any([hmac.compare_digest(digest, known) for known in digests]):
        raise unauthorized()
    LOGGER.append_keys(account=account, key=digest[:8].decode(), secret=source)
    count("SecretReads", "result", source)
    return token


def push(*, claim: Any, token: str, seconds: float, request_id: str, answers: list[Answer]) -> Answer:
    """Sends a lead that is claimed. Raises `NobodyCalled` where it may be sent again; the answer is in `answers`."""
    body = json.dumps(claim["lead"], separators=(",", ":"), ensure_ascii=False).encode()
    path = f"{BASE_PATH}/{quote(token, safe='+=')}"
    timeout = urllib3.Timeout(total=seconds, connect=min(2, seconds))
    begun = time.perf_counter()
    try:
        response = RUDDER.urlopen("POST", path, body, HEADERS, RETRIES, redirect=False, timeout=timeout)
        answer = verdict(response.status, response.data, request_id)
    except ReadTimeoutError:
        message = "AI Rudder did not answer in time. It may have the lead."
        answer = Problem(504, "upstream_timeout", message, "unknown").answer(request_id)
    except HTTPError as error:
        if isinstance(error, MaxRetryError) and was_not_connected(error.reason):
            message = "AI Rudder could not be reached. Nothing was sent; send this lead again."
            answer = Problem(503, "upstream_unreachable", message, retry_after="1").answer(request_id)
        else:
            message = "The connection to AI Rudder broke after the lead was sent. It may have the lead."
            answer = Problem(504, "upstream_broke", message, "unknown").answer(request_id)
    milliseconds = round((time.perf_counter() - begun) * 1000)
    LOGGER.append_keys(upstream_ms=milliseconds)
    with single_metric("UpstreamMilliseconds", MetricUnit.Milliseconds, milliseconds, namespace=NAMESPACE):
        pass
    answers.append(answer)
    if answer["outcome"] in ("not_sent", "refused"):
        raise NobodyCalled
    return answer


def was_not_connected(reason: Exception | None) -> bool:
    """Whether it is certain that nothing was sent. A handshake that hangs looks like an answer that does."""
    untrusted = isinstance(reason, SSLError) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return untrusted or isinstance(reason, ConnectTimeoutError)


def verdict(status: int, data: bytes, request_id: str) -> Answer:
    """What an answer of AI Rudder means. Nobody was called only where neither its status nor its code leaves a doubt."""
    code, theirs = None, None
    try:
        envelope = json.loads(data) if len(data) <= MAX_BYTES else None
        if isinstance(envelope, dict) and type(envelope.get("code")) is int:
            code, theirs = envelope["code"], data.decode()
            if TRACE_ID.fullmatch(str(envelope.get("trace_id"))):
                LOGGER.append_keys(upstream_trace_id=envelope["trace_id"])
    except (ValueError, RecursionError):
        pass
    LOGGER.append_keys(upstream_status=status, upstream_code=code)
    numbers = {status if not 200 <= status < 300 else 200, status if code is None else code}
    if numbers == {200} and theirs is not None:
        return {"status": 200, "outcome": "accepted", "body": theirs}
    failures = numbers - {200}
    doubtful = any(not 400 <= number < 500 or number in (408, 409, 425) for number in failures)
    if not failures or doubtful or code == 200:
        message = "AI Rudder's answer does not say what became of the lead."
        problem = Problem(502, "bad_upstream_answer", message, "unknown")
    elif 429 in failures:
        problem = Problem(429, "rate_limited", "AI Rudder wants fewer leads for now. Send this one again later.")
    elif failures & {401, 403} or status == 404:
        message = "AI Rudder does not accept this account's token. The relay's operator has to mend it."
        problem, theirs = Problem(500, "token_refused", message), None
    else:
        problem = Problem(422, "refused_upstream", "AI Rudder refused the lead.", "refused")
    answer = problem.answer(request_id)
    return answer if theirs is None else answer | {"body": theirs}


if TABLE != "off":
    # Lambda's deadline is not registered, and that is warned of each time: with it, Powertools would have a lead sent
    # again whose sender died while it was being sent.
    warnings.filterwarnings("ignore", "Couldn't determine the remaining time left")
    push = idempotent_function(
        push,
        data_keyword_argument="claim",
        persistence_store=DynamoDBPersistenceLayer(TABLE, boto3_client=boto3.client("dynamodb", config=AWS)),
        config=IdempotencyConfig(
            expires_after_seconds=7 * 24 * 3600,
            hash_function="sha256",
            response_hook=lambda answer, _record: answer | {"headers": {"idempotent-replayed": "true"}},
        ),
    )


def send(lead: dict[str, Any], account: str, token: str, seconds: float, request_id: str) -> Answer:
    """Sends a lead, unless it was sent before."""
    answers: list[Answer] = []
    claim = {"account": account, "lead": lead}
    try:
        return push(claim=claim, token=token, seconds=seconds, request_id=request_id, answers=answers)
    except NobodyCalled:
        return answers[0]
    except IdempotencyAlreadyInProgressError:
        message = "This lead is being sent by another request. Ask again shortly by sending it again."
        raise Problem(409, "in_progress", message, "pending", retry_after="1") from None
    except (IdempotencyPersistenceLayerError, IdempotencyInconsistentStateError):
        if answers:
            LOGGER.error("the claim could not be closed")
            return answers[0]
        raise unavailable() from None
    except Exception as error:
        message = "The relay failed after it began to send the lead."
        raise Problem(500, "internal_error", message, "unknown") from error


def relay(event: dict[str, Any], context: Any, request_id: str) -> Answer:
    """One lead's way: the door, authenticate, read, claim, push, settle."""
    account, key = admit(event)
    token = token_of(account, key)
    reading = read(event)
    ignored = reading.ignored()
    LOGGER.append_keys(ignored_fields=reading.ignored_fields())
    more = {"lead_ignored_fields": ignored} if ignored else {}
    if reading.faults:
        message = "The lead has faults. Each is named in body.fields; mend them and send it again."
        raise Problem(422, "invalid_lead", message, fields=reading.faults, **more)
    seconds = min(10, context.get_remaining_time_in_millis() / 1000 - 1.5)
    if seconds < 1:
        raise unavailable()
    answer = send(reading.lead(), account, token, seconds, request_id)
    if ignored:
        answer = answer | {"headers": {**answer.get("headers", {}), "lead-ignored-fields": ignored}}
    return answer


@LOGGER.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers a request, and writes one line about it without personal data, and what is counted."""
    begun = time.perf_counter()
    request_id = event["requestContext"]["requestId"]
    cause = None
    try:
        answer = relay(event, context, request_id)
    except Problem as problem:
        answer = problem.answer(request_id)
        for fault in problem.fields:
            count("Faults", "field", fault["field"])
        cause = ", ".join(f"{fault['field']} {fault['code']}" for fault in problem.fields) or None
    except Exception as error:
        cause = type(error).__name__
        answer = Problem(500, "internal_error", "The relay failed. Nothing was sent.").answer(request_id)
    log = LOGGER.info if answer["status"] < 500 else LOGGER.error
    log(
        "lead",
        request_id=request_id,
        outcome=answer["outcome"],
        status=answer["status"],
        error=answer.get("error"),
        cause=cause,
        ms=round((time.perf_counter() - begun) * 1000),
    )
    count("Leads", "outcome", answer["outcome"])
    if "error" in answer:
        count("Errors", "error", answer["error"])
    headers = {
        "content-type": "application/json",
        "cache-control": "no-store",
        "lead-outcome": answer["outcome"],
        "request-id": request_id,
        **answer.get("headers", {}),
    }
    return {"statusCode": answer["status"], "headers": headers, "body": answer["body"]}
