/* A command line, its characters as they are, with its risk in words and a button that copies it. */

import { safetyBadge, verdictBadge } from "./badge.js";
import { element } from "./dom.js";
import { announce } from "./announcer.js";
import { plain, plainWords } from "./plain.js";
import { paragraph } from "./section.js";

export function commandBlock({ command, explanation, safety_level: level, expected_output: expected }) {
  return element(
    "div",
    { class: "command-block" },
    commandLine(command),
    copyButton(command),
    element(
      "p",
      { class: "command-note small" },
      level && [safetyBadge(level), " "],
      explanation,
      expected && [" ", element("span", { class: "muted" }, "Expect: "), expected],
    ),
  );
}

export function commandText(command) {
  return element("div", { class: "command-block" }, commandLine(command), copyButton(command));
}

/* One judged command: the verdict, both opinions of its risk, and why. */
export function judgedBlock(judged) {
  const { command, verdict, label, risk, reasons = [], in_evidence: isSeen } = judged;
  return element(
    "div",
    { class: "stack-tight" },
    element(
      "div",
      { class: "row" },
      verdictBadge(verdict),
      element("span", { class: "small" }, "Policy: ", safetyBadge(risk)),
      label && element("span", { class: "small" }, "Plan: ", safetyBadge(label)),
    ),
    commandLine(command),
    changedFrom(judged.repaired_from, judged.repaired_because),
    isSeen === false && verdict !== "refused" && paragraph("Not in evidence: the logs do not name this object or namespace.", "small"),
    paragraph(reasons.join("; "), "muted small"),
    triedInstead(judged.repair, judged.repair_reasons),
  );
}

function changedFrom(text, reasons = []) {
  if (!text) return null;
  return element(
    "div",
    { class: "stack-tight" },
    element("span", { class: "small" }, "changed from"),
    commandLine(text),
    paragraph(reasons.length > 0 && `which was refused: ${reasons.join("; ")}`, "muted small"),
  );
}

function triedInstead(text, reasons = []) {
  if (!text) return null;
  return element(
    "div",
    { class: "stack-tight" },
    element("span", { class: "small" }, "The repair was refused as well:"),
    commandLine(text),
    paragraph(reasons.join("; "), "muted small"),
  );
}

function commandLine(command) {
  return element("pre", { class: "command", dir: "ltr" }, plain(command));
}

function copyButton(command) {
  return element(
    "button",
    {
      type: "button",
      class: "button button-small",
      "aria-label": `Copy command: ${plainWords(command)}`,
      onclick: (event) => copy(event.currentTarget, command),
    },
    "Copy",
  );
}

async function copy(button, command) {
  try {
    await navigator.clipboard.writeText(command);
    say(button, "Copied");
  } catch {
    // The clipboard needs HTTPS or localhost; selecting the text works everywhere.
    const line = button.closest(".command-block").querySelector(".command");
    getSelection().selectAllChildren(line);
    say(button, "Selected, press Ctrl+C");
  }
}

function say(button, words) {
  button.textContent = words;
  announce(words);
  setTimeout(() => (button.textContent = "Copy"), 2500);
}
