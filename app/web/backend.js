/* What the backend says about itself, asked once and shown in the header. */

import { backendInfo, readiness } from "./api.js";
import { badge } from "./badge.js";
import { replaceContent, safeAddress } from "./dom.js";

const CHECK_EVERY = 30000;
const CHECK_TROUBLE_EVERY = 4000;
const line = document.getElementById("status");
let shown = "";

/* Empty when the backend does not answer: the header then says so. */
const info = await backendInfo().catch(() => ({}));

/* The backend calls its neighbour localhost; a browser elsewhere reaches both by one name. */
export function approvalAddress(approvalId = "") {
  const address = info.approval_url && safeAddress(info.approval_url);
  if (!address) return null;
  const url = new URL(address);
  if (["localhost", "127.0.0.1"].includes(url.hostname)) url.hostname = location.hostname;
  url.hash = approvalId;
  return url.href;
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
  await watchReadiness();
}

async function watchReadiness() {
  const isReady = document.hidden || (await showReadiness());
  setTimeout(watchReadiness, isReady ? CHECK_EVERY : CHECK_TROUBLE_EVERY);
}

async function showReadiness() {
  try {
    const troubles = troublesOf(await readiness());
    const engine = info.engine ? `Answers come from ${info.engine}.` : "";
    if (troubles.length === 0) show("Ready", "good", engine);
    else show("Degraded", "warn", `${engine} ${troubles.join(" · ")}`);
    return troubles.length === 0;
  } catch (error) {
    show("Not reachable", "bad", error.message);
    return false;
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
