/* A request that waits: what it would do, and the two panels that decide it. */

import { badge, priorityBadge, severityBadge } from "./badge.js";
import { riskBadge, text, workflowLink } from "./judged.js";
import { element, replaceContent } from "./dom.js";
import { countOf, formatTime } from "./format.js";
import { config } from "./server.js";

const SETTLE_MS = 800;

/* `decide(id, verb, body)` rejects with a sentence when it did not work. */
export function requestCard(approval, decide) {
  const { id, action, commands, metadata } = approval;
  const panel = element("div", { class: "panel", hidden: true });
  const approve = element("button", { type: "button", class: "button button-primary", disabled: true, "data-does": "approve" }, "Approve");
  const reject = element("button", { type: "button", class: "button button-danger", "data-does": "reject" }, "Reject");
  approve.addEventListener("click", () => openPanel(panel, approvePanel(approval, panel, decide)));
  reject.addEventListener("click", () => openPanel(panel, rejectPanel(approval, panel, decide)));
  enableLater(approve);
  const back = (event) => event.key === "Escape" && closePanel(panel);
  return element(
    "article",
    { class: "card request", id, tabindex: "-1", "aria-label": action, onkeydown: back },
    element(
      "div",
      { class: "stack" },
      element("div", {}, element("h3", {}, action || "No title"), element("p", { class: "small muted" }, formatTime(approval.timestamp))),
      facts(metadata),
      metadata.root_cause && element("p", { class: "quote" }, text(metadata.root_cause)),
      element("ol", { class: "proposed stack-tight" }, commands.map((command) => proposedCommand(command, metadata))),
      element("div", { class: "row" }, approve, reject, workflowLink(metadata)),
      panel,
    ),
  );
}

export function select(card) {
  card?.focus();
  card?.scrollIntoView({ block: "nearest" });
}

function facts(metadata) {
  const named = [
    ["Service", metadata.service],
    ["Namespace", metadata.namespace],
    ["Issue", metadata.issue],
  ];
  return element(
    "div",
    { class: "row" },
    metadata.severity && severityBadge(text(metadata.severity)),
    metadata.priority && priorityBadge(text(metadata.priority)),
    named.filter(([, value]) => value).map(([name, value]) => element("span", {}, element("span", { class: "muted" }, `${name}: `), text(value))),
  );
}

function proposedCommand(command, metadata) {
  const note = own(metadata.notes, command.command);
  const rollback = own(metadata.rollback, command.command);
  return element(
    "li",
    { class: "stack-tight" },
    element("div", { class: "row" }, riskBadge(command), note && badge(text(note), "warn")),
    element("pre", { class: "command" }, command.command),
    command.explanation && element("p", {}, command.explanation),
    element("p", { class: "small" }, element("span", { class: "muted" }, "Policy: "), command.reasons.join("; ") || "no remarks"),
    rollback && element("div", { class: "small" }, element("span", { class: "muted" }, "Takes it back:"), element("pre", { class: "command" }, [rollback].flat().map(text).join("\n"))),
  );
}

function openPanel(panel, content) {
  replaceContent(panel, content);
  panel.hidden = false;
  panel.querySelector("textarea, input, button").focus();
}

function closePanel(panel) {
  panel.hidden = true;
  select(panel.closest(".request"));
}

function approvePanel(approval, panel, decide) {
  const { commands, metadata } = approval;
  const refused = commands.filter((command) => command.is_refused).length;
  const noted = commands.filter((command) => own(metadata.notes, command.command)).length;
  const destructive = commands.filter((command) => command.risk === "DESTRUCTIVE").length;
  const verb = config.has_cluster ? "Approve and run" : "Approve and record";
  const sentences = [
    `${verb} ${countOf(commands.length - refused, "command")}?`,
    refused && `${countOf(refused, "command")} refused by policy will not run.`,
    destructive && `${countOf(destructive, "command")} stops or removes something.`,
    noted && `${countOf(noted, "command")} with a note of its own.`,
  ];
  const needsCheck = Boolean(refused || noted || destructive);
  const submit = element("button", { type: "submit", class: "button button-primary", disabled: true }, "Yes, approve");
  const form = decisionForm({ approval, panel, decide }, "approve", submit, () => ({}), [
    element("p", {}, sentences.filter(Boolean).join(" ")),
    needsCheck && element("label", { class: "choice" }, element("input", { type: "checkbox", required: true }), "I have checked these commands"),
  ]);
  enableLater(submit);
  return form;
}

function rejectPanel(approval, panel, decide) {
  const reason = element("textarea", { id: `reason-${approval.id}`, rows: "2", required: true, maxlength: "4000" });
  const submit = element("button", { type: "submit", class: "button button-danger" }, "Yes, reject");
  return decisionForm({ approval, panel, decide }, "reject", submit, () => ({ reason: reason.value.trim() }), [
    element("div", { class: "field" }, element("label", { for: reason.id }, "Why not? The next plan learns from it."), reason),
  ]);
}

function decisionForm({ approval, panel, decide }, verb, submit, body, content) {
  const failure = element("p", { class: "banner banner-bad", role: "alert", hidden: true });
  const cancel = element("button", { type: "button", class: "button" }, "Back");
  cancel.addEventListener("click", () => closePanel(panel));
  const form = element("form", { class: "stack-tight" }, content, failure, element("div", { class: "row" }, submit, cancel));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const decision = body();
    if (decision.reason === "") return;
    submit.disabled = true;
    try {
      await decide(approval.id, verb, decision);
    } catch (error) {
      submit.disabled = false;
      failure.hidden = false;
      replaceContent(failure, error.message);
    }
  });
  return form;
}

/* A request that appears under a key or a pointer already going down is not approved by it. */
function enableLater(button) {
  setTimeout(() => (button.disabled = false), SETTLE_MS);
}

function own(table, key) {
  return table && typeof table === "object" && Object.hasOwn(table, key) ? table[key] : null;
}
