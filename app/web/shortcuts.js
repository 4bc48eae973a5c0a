/* Single keys that save a walk through the page; they can be switched off. */

import { element } from "./dom.js";

const SETTING = "shortcuts";
const PLACES = { s: "#/", h: "#/history", t: "#/statistics" };
const LIST = [
  ["s", "Start"],
  ["h", "History"],
  ["t", "Statistics"],
  ["?", "This list"],
  ["Ctrl + Enter", "Start the investigation, while typing logs"],
  ["Escape", "Close this list"],
];

export function enableShortcuts() {
  const dialog = buildDialog();
  document.body.append(dialog);
  document.getElementById("shortcuts-button").addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", (event) => {
    if (!isShortcut(event) || dialog.open) return;
    if (event.key === "?") dialog.showModal();
    else if (Object.hasOwn(PLACES, event.key)) location.hash = PLACES[event.key];
    else return;
    event.preventDefault();
  });
}

function isShortcut(event) {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  const hasModifier = event.ctrlKey || event.metaKey || event.altKey;
  return areOn() && !isTyping && !hasModifier;
}

function areOn() {
  return localStorage.getItem(SETTING) !== "off";
}

function buildDialog() {
  const rows = LIST.map(([key, words]) =>
    element("div", {}, element("dt", {}, element("kbd", {}, key)), element("dd", {}, words)),
  );
  const dialog = element(
    "dialog",
    { "aria-labelledby": "shortcuts-title" },
    element("h2", { id: "shortcuts-title" }, "Shortcuts"),
    element("dl", { class: "facts" }, rows),
    element("label", { class: "choice" }, switchBox(), "Single keys are on"),
    element("form", { method: "dialog" }, element("button", { class: "button" }, "Close")),
  );
  return dialog;
}

function switchBox() {
  return element("input", {
    type: "checkbox",
    checked: areOn(),
    onchange: (event) => localStorage.setItem(SETTING, event.target.checked ? "on" : "off"),
  });
}
