/* The approval page: what waits, what was decided, and one decision per request. */

import { decidedEntry } from "./decided.js";
import { element, replaceContent } from "./dom.js";
import { countOf } from "./format.js";
import { requestCard, select } from "./request.js";
import { ask, backendAddress, config, learnConfig } from "./server.js";

const POLL_MS = 3000;
const PAGE = 10;

const byId = (id) => document.getElementById(id);
const cards = new Map();
let recentCount = PAGE;
let recentText = "";

start();

async function start() {
  byId("reviewer").value = localStorage.getItem("reviewer") ?? "";
  byId("reviewer").addEventListener("change", (event) => localStorage.setItem("reviewer", event.target.value.trim()));
  byId("older").addEventListener("click", () => showOlder());
  document.addEventListener("keydown", onKey);
  for (;;) {
    await refresh();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function refresh() {
  try {
    await learnConfig();
    showConfig();
    showPending((await ask("/api/approvals/pending")).approvals);
    showRecent(await ask(`/api/approvals?status=decided&limit=${recentCount}`));
    byId("trouble").hidden = true;
  } catch (error) {
    byId("trouble").hidden = false;
    replaceContent(byId("trouble"), `${error.message} The page tries again by itself; what it shows may be old.`);
  }
}

function showConfig() {
  byId("no-cluster").hidden = config.has_cluster;
  const address = backendAddress("/ui/");
  byId("backend").hidden = !address;
  if (address) byId("backend").href = address;
}

/* Cards that stay are left alone, so that nobody loses the focus or a half-written reason. */
function showPending(approvals) {
  const ids = new Set(approvals.map(({ id }) => id));
  for (const [id, card] of cards) {
    if (ids.has(id)) continue;
    card.remove();
    cards.delete(id);
  }
  const fresh = approvals.filter(({ id }) => !cards.has(id));
  for (const approval of fresh) {
    const card = requestCard(approval, decide);
    cards.set(approval.id, card);
    byId("cards").append(card);
  }
  byId("none").hidden = approvals.length > 0;
  document.title = approvals.length ? `(${approvals.length}) Approvals` : "Approvals";
  if (fresh.length) {
    announce(`${countOf(fresh.length, "new request")}.`);
    const wanted = cards.get(location.hash.slice(1));
    if (wanted && document.activeElement === document.body) select(wanted);
  }
}

async function decide(id, verb, decision) {
  const reviewer = byId("reviewer").value.trim() || null;
  await ask(`/api/approvals/${encodeURIComponent(id)}/${verb}`, { ...decision, reviewer });
  const next = cards.get(id)?.nextElementSibling;
  announce(verb === "approve" ? "Approved." : "Rejected.");
  await refresh();
  (next ?? byId("pending")).focus();
}

function showRecent({ approvals, next }) {
  const words = JSON.stringify([approvals, next]);
  if (words === recentText) return;
  recentText = words;
  const isOpen = new Set([...byId("recent").querySelectorAll("details[open]")].map((details) => details.dataset.id));
  replaceContent(
    byId("recent"),
    approvals.length ? approvals.map((approval) => decidedEntry(approval, isOpen.has(approval.id))) : element("p", { class: "muted" }, "Nothing was decided yet."),
  );
  byId("older").hidden = !next || recentCount >= 100;
}

async function showOlder() {
  recentCount = Math.min(100, recentCount + 30);
  await refresh();
}

function onKey(event) {
  const card = event.target.closest(".request");
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const all = [...cards.values()];
  const here = all.indexOf(card);
  if (event.key === "j") select(all[Math.min(here + 1, all.length - 1)]);
  else if (event.key === "k") select(all[Math.max(here - 1, 0)]);
  else if (event.key === "a") card?.querySelector("[data-does=approve]").click();
  else if (event.key === "r") card?.querySelector("[data-does=reject]").click();
  else return;
  event.preventDefault();
}

function announce(sentence) {
  byId("announcer").textContent = sentence;
}
