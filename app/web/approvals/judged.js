/* What a proposed and a decided command have in common. */

import { badge, safetyBadge } from "./badge.js";
import { element } from "./dom.js";
import { text } from "./plain.js";
import { backendAddress } from "./server.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PHASES = {
  INVESTIGATE: "Looks before the change",
  REMEDIATE: "The change",
  VERIFY: "Checks afterwards whether it helped",
};

export function riskBadge(command) {
  return command.is_refused ? badge("Refused by policy: never runs", "bad") : safetyBadge(command.risk);
}

export function evidenceBadge({ in_evidence: isSeen }) {
  return isSeen === false && badge("Not in evidence", "warn");
}

export function phaseNote({ phase }) {
  return Object.hasOwn(PHASES, phase) && element("span", { class: "small muted" }, PHASES[phase]);
}

export function workflowLink(metadata) {
  const id = text(metadata.workflow_id);
  const address = UUID.test(id) && backendAddress(`/ui/#/workflows/${id}`);
  return address && element("a", { href: address }, "See the workflow");
}

/* A value of a table that a proposer filled, which may be no table. */
export function own(table, key) {
  return table && typeof table === "object" && Object.hasOwn(table, key) ? table[key] : null;
}
