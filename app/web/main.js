/* Chooses the view the address names, and moves the focus to it. */

import { showBackend } from "./backend.js";
import { element, replaceContent } from "./dom.js";
import { HistoryView } from "./history.js";
import { enableShortcuts } from "./shortcuts.js";
import { StartView } from "./start.js";
import { StatisticsView } from "./statistics.js";
import { WorkflowView } from "./workflow.js";

const content = document.getElementById("content");
let view = null;

function viewFor(path) {
  const [page, id] = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (!page) return new StartView();
  if (page === "history") return new HistoryView();
  if (page === "statistics") return new StatisticsView();
  if (page === "workflows" && id) return new WorkflowView(id);
  return { title: "Not found", root: missing() };
}

function missing() {
  return element("div", {}, element("h1", { tabindex: "-1" }, "There is no such page"), element("a", { href: "#/" }, "Start"));
}

function show(isFirst) {
  view?.close?.();
  const path = location.hash.replace(/^#/, "");
  view = viewFor(path);
  document.title = `${view.title} – Incident Agents`;
  replaceContent(content, view.root);
  markCurrent(path.split("/").filter(Boolean)[0] ?? "start");
  if (!isFirst) {
    scrollTo(0, 0);
    view.root.querySelector("h1")?.focus();
  }
  view.open?.();
}

function markCurrent(page) {
  for (const link of document.querySelectorAll("[data-page]")) {
    if (link.dataset.page === page) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/* The address's hash names a view, so the skip link moves the focus instead of changing it. */
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});

window.addEventListener("hashchange", () => show(false));
enableShortcuts();
showBackend();
show(true);
