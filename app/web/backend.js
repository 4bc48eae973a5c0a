/* What the backend says about itself, asked once and shown in the header. */

import { backendInfo, readiness } from "./api.js";
import { badge } from "./badge.js";
import { replaceContent, safeAddress } from "./dom.js";

const CHECK_EVERY = 30000;
let info = {};

export function approvalAddress() {
  return info.approval_url ? safeAddress(info.approval_url) : null;
}

export async function showBackend() {
  try {
    info = await backendInfo();
    showApprovalsLink();
  } catch {
    info = {};
  }
  await showReadiness();
  setInterval(() => document.hidden || showReadiness(), CHECK_EVERY);
}

function showApprovalsLink() {
  const link = document.getElementById("approvals-link");
  const address = approvalAddress();
  link.hidden = address === null;
  if (address) link.href = address;
}

async function showReadiness() {
  const status = document.getElementById("status");
  try {
    const troubles = troublesOf(await readiness());
    const words = troubles.length === 0 ? badge("Ready", "good") : badge("Degraded", "warn");
    replaceContent(status, words, " ", engineSentence(), troubles.length > 0 && ` ${troubles.join(" · ")}`);
  } catch (error) {
    replaceContent(status, badge("Not reachable", "bad"), " ", error.message);
  }
}

function engineSentence() {
  return info.engine ? `Answers come from ${info.engine}.` : "";
}

/* Each dependency is either fine or carries the reason why not. */
function troublesOf(report) {
  const parts = report.dependencies ?? report.checks ?? {};
  return Object.entries(parts)
    .filter(([, part]) => !isFine(part))
    .map(([name, part]) => `${name}: ${part.reason ?? part.detail ?? part.status ?? part}`);
}

function isFine(part) {
  if (typeof part === "string") return part === "ok";
  return ["ok", "ready", "off"].includes(part?.status) || part?.ok === true;
}
