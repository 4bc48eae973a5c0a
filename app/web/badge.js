/* Small labels: the word says it, the colour repeats it. */

import { element } from "./dom.js";

const SEVERITIES = { CRITICAL: "bad", HIGH: "bad", ERROR: "bad", MEDIUM: "warn", WARNING: "warn", IMMEDIATE: "bad" };
const PRIORITIES = { P0: ["P0 now", "bad"], P1: ["P1 today", "bad"], P2: ["P2 soon", "warn"], P3: ["P3 some day", ""] };
const SAFETY = {
  SAFE: ["Safe", "good"],
  CAUTION: ["Caution", "warn"],
  DESTRUCTIVE: ["Destructive", "bad"],
  FORBIDDEN: ["Forbidden", "bad"],
};
const STATES = {
  queued: ["Waiting", ""],
  running: ["Running", "info"],
  completed: ["Completed", "good"],
  failed: ["Failed", "bad"],
  cancelled: ["Cancelled", "warn"],
};
const DECISIONS = {
  pending: ["Waiting for a decision", "info"],
  approved: ["Approved", "good"],
  rejected: ["Rejected", "bad"],
  expired: ["Nobody decided in time", "warn"],
  declined: ["Not taken by the approval server", "bad"],
};
const VERDICTS = {
  accepted: ["Accepted", "good"],
  repaired: ["Changed, then accepted", "warn"],
  refused: ["Refused", "bad"],
};

export function badge(text, tone = "") {
  return element("span", { class: tone ? `badge badge-${tone}` : "badge" }, text);
}

export function severityBadge(severity) {
  const words = String(severity ?? "unknown");
  return badge(words.charAt(0) + words.slice(1).toLowerCase(), SEVERITIES[words] ?? "");
}

export function priorityBadge(priority) {
  return known(PRIORITIES, priority);
}

export function safetyBadge(level) {
  return known(SAFETY, level);
}

export function verdictBadge(verdict) {
  return known(VERDICTS, verdict);
}

export function stateBadge(state) {
  return known(STATES, state);
}

export function decisionBadge(status) {
  return status ? known(DECISIONS, status) : badge("Not submitted");
}

function known(table, key) {
  const [words, tone] = Object.hasOwn(table, key) ? table[key] : [String(key ?? "unknown"), ""];
  return badge(words, tone);
}
