/* The server behind this page: its answers, and what it says of itself. */

import { safeAddress } from "./dom.js";

const REPLY_MS = 10_000;

export const config = { is_known: false, has_cluster: true, backend_url: "" };

export async function learnConfig() {
  if (!config.is_known) Object.assign(config, await ask("/api/config"), { is_known: true });
}

export async function ask(address, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(address, { ...options, signal: AbortSignal.timeout(REPLY_MS) }).catch(() => {
    throw new Error("The approval server does not answer.");
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Error(typeof answer.detail === "string" ? answer.detail : (answer.error ?? `It answers ${response.status}.`));
}

/* The backend calls itself localhost; a browser elsewhere reaches it by the name it reached us. */
export function backendAddress(path) {
  const address = safeAddress(`${config.backend_url}${path}`);
  if (!address || !config.backend_url) return null;
  const url = new URL(address);
  if (["localhost", "127.0.0.1"].includes(url.hostname)) url.hostname = location.hostname;
  return url.href;
}
