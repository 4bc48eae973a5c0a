/* The server behind this page: its answers, and what it says of itself. */

import { safeAddress } from "./dom.js";

const REPLY_MS = 20_000;
const PAGE_LIMIT = 100;

export const config = { has_cluster: true, kubectl: null, mode: "approve", backend_url: "" };

/* What the server answered instead of doing what it was asked, with a sentence for people. */
export class Refusal extends Error {
  constructor(message, status = 0, answer = {}) {
    super(message);
    this.status = status;
    this.answer = answer;
  }
}

export async function learnConfig() {
  Object.assign(config, await ask("/api/config"));
}

/* Whether an approved command would really be run. */
export function runsCommands() {
  return config.has_cluster && !config.kubectl && config.mode !== "suggest";
}

export async function ask(address, body) {
  const response = await reach(address, body);
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refusal(sentence(answer, response.status), response.status, answer);
}

/* Both 200 and 503 carry the report. */
export async function readiness() {
  const response = await reach("/ready");
  return response.json().catch(() => ({}));
}

export function approvalAddress(id, verb = "") {
  return `/api/approvals/${encodeURIComponent(id)}${verb && `/${verb}`}`;
}

/* The first `count` of a list, in as few pages as the server allows. */
export async function listed(address, cursor, count) {
  const found = { approvals: [], next: null, total: 0 };
  do {
    const limit = Math.min(PAGE_LIMIT, count - found.approvals.length);
    const place = found.next ? `&${cursor}=${encodeURIComponent(found.next)}` : "";
    const page = await ask(`${address}limit=${limit}${place}`);
    found.approvals.push(...page.approvals);
    Object.assign(found, { next: page.next, total: page.total });
  } while (found.next && found.approvals.length < count);
  return found;
}

/* The backend calls itself localhost; a browser elsewhere reaches it by the name it reached us. */
export function backendAddress(path) {
  const address = safeAddress(`${config.backend_url}${path}`);
  if (!address || !config.backend_url) return null;
  const url = new URL(address);
  if (["localhost", "127.0.0.1"].includes(url.hostname)) url.hostname = location.hostname;
  return url.href;
}

function reach(address, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  return fetch(address, { ...options, signal: AbortSignal.timeout(REPLY_MS) }).catch(() => {
    throw new Refusal("The approval server does not answer.");
  });
}

function sentence({ detail, error }, status) {
  if (Array.isArray(detail)) return detail.map(({ msg }) => msg).join(" ");
  return typeof detail === "string" ? detail : (error ?? `The approval server answers ${status}.`);
}
