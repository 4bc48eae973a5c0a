/* What a proposed and a decided command have in common. */

import { badge, safetyBadge } from "./badge.js";
import { element } from "./dom.js";
import { backendAddress } from "./server.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function riskBadge(command) {
  return command.is_refused ? badge("Refused by policy: never runs", "bad") : safetyBadge(command.risk);
}

export function workflowLink(metadata) {
  const id = text(metadata.workflow_id ?? "");
  const address = UUID.test(id) && backendAddress(`/ui/#/workflows/${id}`);
  return address && element("a", { href: address }, "See the workflow");
}

/* Metadata is whatever its proposer sent. */
export function text(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
