/* A decided request, with what became of each command. */

import { badge, decisionBadge } from "./badge.js";
import { riskBadge, workflowLink } from "./judged.js";
import { element } from "./dom.js";
import { formatTime } from "./format.js";

const STATUS = {
  waiting: ["Waits to run", "info"],
  executing: ["Running now", "info"],
  succeeded: ["Succeeded", "good"],
  failed: ["Failed", "bad"],
  unknown: ["Outcome unknown", "warn"],
  skipped: ["Not run", ""],
  recorded: ["Recorded, not run", "info"],
};

export function decidedEntry(approval, isOpen) {
  return element(
    "details",
    { class: "card", "data-id": approval.id, open: isOpen },
    element("summary", {}, decisionBadge(approval.status), ` ${approval.action || "No title"} `, element("span", { class: "small muted" }, whoAndWhen(approval))),
    element(
      "div",
      { class: "stack-tight" },
      approval.reason && element("p", { class: "quote" }, approval.reason),
      element("ol", { class: "proposed stack-tight" }, approval.commands.map(decidedCommand)),
      workflowLink(approval.metadata),
    ),
  );
}

function whoAndWhen({ reviewer, decided_at: at }) {
  return reviewer ? `by ${reviewer}, ${formatTime(at)}` : formatTime(at);
}

function decidedCommand(command) {
  const [words, tone] = Object.hasOwn(STATUS, command.status) ? STATUS[command.status] : [command.status, ""];
  return element(
    "li",
    { class: "stack-tight" },
    element("div", { class: "row" }, badge(words, tone), riskBadge(command)),
    element("pre", { class: "command" }, command.command),
    command.output && element("pre", { class: "quote" }, command.output),
  );
}
