#!/usr/bin/env node
// Posts a lead to lendswift-relay, and posts it again until the outcome is final.
//
// Follows "Retrying safely" in docs/integrating.md. Needs Node 18.3 or later and no packages.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const EXIT_CODES = { accepted: 0, refused: 3, fix: 4, ask_operator: 5, later: 6 };

const HELP = `usage: send_lead.mjs --id ID [FILE]

Posts a lead to lendswift-relay, and posts it again until the outcome is final.

  --id ID    your own id of the lead, the same for each post of this lead
  FILE       file with the lead as JSON (default: stdin)

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
`;

// All durations are in seconds. A retry-after above `patience` ends the retries: the result is "later".
const DEFAULTS = { timeout: 35, maxPosts: 8, firstWait: 5, longestWait: 60, patience: 120 };

/** Posts `lead` (JSON, as a string or bytes) until the outcome is final, and returns the result. */
export async function sendLead(url, key, leadId, lead, options = {}) {
  const { timeout, maxPosts, firstWait, longestWait, patience } = { ...DEFAULTS, ...options };
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": leadId };
  for (let posts = 1; ; posts += 1) {
    // The relay sends no redirects, and the API key must not go to another host.
    const response = await post(url, { method: "POST", headers, body: lead, redirect: "manual" }, timeout);
    console.error(`post ${posts}: ${JSON.stringify(response)}`);
    const result = resultOf(response.status, response.outcome);
    // The jitter keeps many clients from posting at the same moment.
    const backoff = Math.min(firstWait * 2 ** (posts - 1), longestWait) * (1 + Math.random() / 2);
    const wait = Math.max(backoff, response.retry_after ?? 0);
    if (result || posts >= maxPosts || wait > patience) {
      return { result: result ?? "later", lead_id: leadId, posts, ...response };
    }
    await sleep(wait * 1000);
  }
}

/** What a response means, or undefined if the same lead should be posted again. */
export function resultOf(status, outcome) {
  if (outcome === "accepted" || outcome === "refused") return outcome;
  if (outcome === "pending" || (outcome === "not_sent" && [409, 429, 503].includes(status))) return undefined;
  if (outcome === "not_sent") return status < 500 ? "fix" : "ask_operator";
  if (outcome !== undefined) return "ask_operator"; // "unknown", or an outcome that this client does not know
  // No response, or not the relay's. API Gateway's own 429 and 5xx are worth a retry.
  const isTransient = status === undefined || [408, 429].includes(status) || status >= 500;
  return isTransient ? undefined : "fix";
}

/** One post. Without a response it returns only a `failure`: AI Rudder may have the lead or not. */
async function post(url, request, timeout) {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(timeout * 1000) });
    const header = (name) => response.headers.get(name) ?? undefined;
    const text = await response.text();
    return {
      status: response.status,
      outcome: header("lead-outcome"),
      request_id: header("request-id"),
      retry_after: seconds(header("retry-after")),
      ...details(text),
    };
  } catch (error) {
    return { failure: String(error.cause ?? error) };
  }
}

/** The error and the faults, if the relay wrote the body. AI Rudder's envelope may have anything in its place. */
function details(text) {
  try {
    const { error, fields } = JSON.parse(text).body;
    return { error, fields: fields?.length ? fields : undefined };
  } catch {
    return {};
  }
}

/** A retry-after (RFC 9110, 10.2.3: seconds or a date) as seconds from now; undefined if it is absent or invalid. */
function seconds(retryAfter = "") {
  if (/^[0-9]+$/.test(retryAfter)) return Number(retryAfter);
  const wait = Math.round((Date.parse(retryAfter) - Date.now()) / 1000);
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** The arguments and the environment; throws an Error that says what is wrong with them. */
function usage() {
  const options = { id: { type: "string" }, help: { type: "boolean", short: "h" } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) return { help: true };
  const { LEADS_URL: url = "", LEADS_KEY: key = "" } = process.env;
  if (!/^https?:\/\/[!-z|~]+$/.test(url) || !/^[!-~]+$/.test(key)) {
    throw new Error("LEADS_URL must be the URL with the account's name filled in, and LEADS_KEY the API key");
  }
  if (!/^[!-~]{1,255}$/.test(values.id ?? "")) throw new Error("--id must have 1 to 255 visible ASCII characters");
  if (positionals.length > 1) throw new Error("only one FILE");
  const [file = "-"] = positionals;
  return { url, key, id: values.id, lead: readFileSync(file === "-" ? 0 : file) };
}

async function main() {
  let args;
  try {
    args = usage();
  } catch (error) {
    console.error(`send_lead.mjs: ${error.message} (--help explains the usage)`);
    return 2;
  }
  if (args.help) {
    console.log(HELP);
    return 0;
  }
  const result = await sendLead(args.url, args.key, args.id, args.lead);
  console.log(JSON.stringify(result, null, 2));
  return EXIT_CODES[result.result];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = await main();
