/* One command line with its risk in words and a button that copies it. */

import { safetyBadge } from "./badge.js";
import { element } from "./dom.js";
import { announce } from "./announcer.js";

export function commandBlock({ command, explanation, safety_level: level, expected_output: expected }) {
  return element(
    "div",
    { class: "command-block" },
    element("pre", { class: "command" }, command),
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

function copyButton(command) {
  return element(
    "button",
    {
      type: "button",
      class: "button button-small",
      "aria-label": `Copy command: ${command}`,
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
