/* A decided request: what was said to each command, what became of it, and whether it helped. */

import { badge, decisionBadge } from "./badge.js";
import { commandText } from "./command.js";
import { element, replaceContent } from "./dom.js";
import { formatTime } from "./format.js";
import { evidenceBadge, phaseNote, riskBadge, workflowLink } from "./judged.js";
import { outcomeBadge, UndoPart, verificationPart } from "./outcome.js";
import { plain } from "./plain.js";
import { byHand, proofCard, undoOf } from "./proof.js";

const STATUS = {
  waiting: ["Waits to run", "info"],
  executing: ["Running now", "info"],
  succeeded: ["Succeeded", "good"],
  failed: ["Failed", "bad"],
  unknown: ["Outcome unknown", "warn"],
  skipped: ["Not run", ""],
  recorded: ["Recorded, not run", "info"],
};
const UNDO = {
  waiting: ["Undo waits", "info"],
  executing: ["Undo runs now", "info"],
  succeeded: ["Taken back", "good"],
  failed: ["Undo failed", "bad"],
  unknown: ["Undo: outcome unknown", "warn"],
  skipped: ["Not taken back", ""],
  recorded: ["Undo recorded, not run", "info"],
};
const SAID = {
  approved: ["Approved", "good"],
  rejected: ["Rejected", "bad"],
  edited: ["Edited, then approved", "warn"],
  undecided: ["Nobody decided", ""],
};
const MOVING = new Set(["waiting", "executing"]);

export class DecidedEntry {
  #summary = element("summary");
  #body = element("div", { class: "stack-tight" });
  #undo;
  #drawn = "";

  constructor(approval, undo) {
    this.#undo = new UndoPart(undo);
    this.root = element("details", { class: "card decided", "data-id": approval.id }, this.#summary, element("div", { class: "stack-tight" }, this.#body, this.#undo.root));
    this.update(approval);
  }

  /* Whether more is to be seen soon. */
  get isMoving() {
    const { commands, verification, status } = this.approval;
    const isRunning = commands.some((command) => MOVING.has(command.undo_status) || (status === "approved" && MOVING.has(command.status)));
    return isRunning && !(verification && commands.every(({ undo_status: undo }) => !MOVING.has(undo)));
  }

  update(approval) {
    const words = JSON.stringify(approval);
    if (words === this.#drawn) return;
    this.#drawn = words;
    this.approval = approval;
    replaceContent(this.#summary, summary(approval));
    keepingOpen(this.#body, () => replaceContent(this.#body, parts(approval)));
    this.#undo.update(approval);
  }
}

function summary({ status, action, commands, verification, undo, ...approval }) {
  const counted = Object.keys(STATUS).map((state) => [STATUS[state], commands.filter((command) => command.status === state).length]);
  return [
    decisionBadge(status),
    " ",
    plain(action || "No title"),
    " ",
    element("span", { class: "small muted" }, plain(whoAndWhen(approval))),
    " ",
    status === "approved" && counted.filter(([, count]) => count).map(([[words, tone], count]) => [badge(`${count} × ${words}`, tone), " "]),
    verification && [outcomeBadge(approval.outcome), " "],
    undo && badge("Undo was asked for", "info"),
  ];
}

function whoAndWhen({ reviewer, decided_at: at }) {
  return reviewer ? `by ${reviewer}, ${formatTime(at)}` : formatTime(at);
}

function parts(approval) {
  return [
    approval.reason && element("p", { class: "quote" }, plain(approval.reason)),
    element("ol", { class: "proposed stack-tight" }, approval.commands.map(decidedCommand)),
    verificationPart(approval),
    workflowLink(approval.metadata),
  ];
}

function decidedCommand(command) {
  const { number, edited_to: edited, reason, output, undo_output: undoOutput, decision } = command;
  return element(
    "li",
    { class: "stack-tight" },
    element("div", { class: "row" }, element("strong", {}, `${number + 1}.`), decision && known(SAID, decision), known(STATUS, command.status), command.undo_status && known(UNDO, command.undo_status), riskBadge(command), evidenceBadge(command), phaseNote(command)),
    edited && element("span", { class: "small muted" }, "Proposed:"),
    commandText(command.command),
    edited && [element("span", { class: "small muted" }, "Edited to:"), commandText(edited)],
    reason && element("p", { class: "small" }, element("span", { class: "muted" }, "Reason: "), plain(reason)),
    output && outputPart(`output-${number}`, "Output", output, true),
    undoOutput && outputPart(`undo-${number}`, "Output of the undo", undoOutput, true),
    command.status === "succeeded" && command.proof && notTakenBack(command.proof),
    command.proof && element("details", { "data-key": `proof-${number}`, class: "small" }, element("summary", {}, "What the cluster said before"), proofCard(command)),
  );
}

function notTakenBack(proof) {
  const advice = byHand(proof);
  return advice && element("p", { class: "small" }, element("strong", {}, "Not taken back by a click: "), undoOf(proof.undo), " ", advice);
}

function outputPart(key, words, output, isOpen) {
  return element("details", { "data-key": key, open: isOpen }, element("summary", { class: "small" }, words), element("pre", { class: "quote" }, plain(output)));
}

/* What somebody opened or closed stays so when its content is drawn again. */
function keepingOpen(node, draw) {
  const states = new Map([...node.querySelectorAll("[data-key]")].map((part) => [part.dataset.key, part.open]));
  draw();
  for (const part of node.querySelectorAll("[data-key]")) part.open = states.get(part.dataset.key) ?? part.open;
}

function known(table, key) {
  const [words, tone] = Object.hasOwn(table, key) ? table[key] : [key, ""];
  return badge(words, tone);
}
