/* What the backend says about itself, asked once and shown in the header. */

import { backendInfo, readiness } from "./api.js";
import { badge } from "./badge.js";
import { replaceContent, safeAddress } from "./dom.js";

const CHECK_EVERY = 30000;
const line = document.getElementById("status");
let shown = "";

/* Empty when the backend does not answer: the header then says so. */
const info = await backendInfo().catch(() => ({}));

export function approvalAddress() {
  return info.approval_url ? safeAddress(info.approval_url) : null;
}

export function largestInputMib() {
  return info.max_body_mib ?? Infinity;
}

export function hasLogSource() {
  return info.log_source !== false;
}

export async function showBackend() {
  const link = document.getElementById("approvals-link");
  const address = approvalAddress();
  link.hidden = address === null;
  if (address) link.href = address;
  await showReadiness();
  setInterval(() => document.hidden || showReadiness(), CHECK_EVERY);
}

async function showReadiness() {
  try {
    const troubles = troublesOf(await readiness());
    const engine = info.engine ? `Answers come from ${info.engine}.` : "";
    if (troubles.length === 0) show("Ready", "good", engine);
    else show("Degraded", "warn", `${engine} ${troubles.join(" · ")}`);
  } catch (error) {
    show("Not reachable", "bad", error.message);
  }
}

/* Redrawn only when it changed, so that it is not read out again and again. */
function show(words, tone, sentence) {
  if (shown === words + sentence) return;
  shown = words + sentence;
  replaceContent(line, badge(words, tone), " ", sentence);
}

function troublesOf({ checks }) {
  return Object.entries(checks ?? {})
    .filter(([, state]) => state !== "ok")
    .map(([name, reason]) => `${name}: ${reason}`);
}
