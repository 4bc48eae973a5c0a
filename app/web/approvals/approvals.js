/* The approval page: what waits, what was decided, and one decision per request. */

import { badge, decisionBadge, priorityBadge, safetyBadge, severityBadge } from "./badge.js";
import { element, replaceContent, safeAddress } from "./dom.js";
import { countOf, formatTime } from "./format.js";

const POLL_MS = 3000;
const SETTLE_MS = 800;
const PAGE = 10;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const STATUS = {
  waiting: ["Waits to run", "info"],
  executing: ["Running now", "info"],
  succeeded: ["Succeeded", "good"],
  failed: ["Failed", "bad"],
  unknown: ["Outcome unknown", "warn"],
  skipped: ["Not run", ""],
  recorded: ["Recorded, not run", "info"],
};

const byId = (id) => document.getElementById(id);
const cards = new Map();
let config = { has_cluster: true, backend_url: "" };
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
    if (!config.is_known) showConfig({ ...(await ask("/api/config")), is_known: true });
    showPending((await ask("/api/approvals/pending")).approvals);
    showRecent(await ask(`/api/approvals?status=decided&limit=${recentCount}`));
    byId("trouble").hidden = true;
  } catch (error) {
    byId("trouble").hidden = false;
    replaceContent(byId("trouble"), `${error.message} The page tries again by itself; what it shows may be old.`);
  }
}

async function ask(address, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(address, { ...options, signal: AbortSignal.timeout(10_000) }).catch(() => {
    throw new Error("The approval server does not answer.");
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Error(typeof answer.detail === "string" ? answer.detail : (answer.error ?? `It answers ${response.status}.`));
}

function showConfig(known) {
  config = known;
  byId("no-cluster").hidden = config.has_cluster;
  const address = backendAddress("/ui/");
  byId("backend").hidden = !address;
  if (address) byId("backend").href = address;
}

/* The backend calls itself localhost; a browser elsewhere reaches it by the name it reached us. */
function backendAddress(path) {
  const address = safeAddress(`${config.backend_url}${path}`);
  if (!address || !config.backend_url) return null;
  const url = new URL(address);
  if (["localhost", "127.0.0.1"].includes(url.hostname)) url.hostname = location.hostname;
  return url.href;
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
    const card = requestCard(approval);
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

function requestCard(approval) {
  const { id, action, commands, metadata } = approval;
  const panel = element("div", { class: "panel", hidden: true });
  const approve = element("button", { type: "button", class: "button button-primary", disabled: true, "data-does": "approve" }, "Approve");
  const reject = element("button", { type: "button", class: "button button-danger", "data-does": "reject" }, "Reject");
  approve.addEventListener("click", () => openPanel(panel, approvePanel(approval, panel)));
  reject.addEventListener("click", () => openPanel(panel, rejectPanel(approval, panel)));
  enableLater(approve);
  return element(
    "article",
    { class: "card request", id, tabindex: "-1", "aria-label": action },
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

function riskBadge(command) {
  return command.is_refused ? badge("Refused by policy: never runs", "bad") : safetyBadge(command.risk);
}

function workflowLink(metadata) {
  const id = text(metadata.workflow_id ?? "");
  const address = UUID.test(id) && backendAddress(`/ui/#/workflows/${id}`);
  return address && element("a", { href: address }, "See the workflow");
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

function approvePanel(approval, panel) {
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
  const form = decisionForm(approval, panel, "approve", submit, () => ({}), [
    element("p", {}, sentences.filter(Boolean).join(" ")),
    needsCheck && element("label", { class: "choice" }, element("input", { type: "checkbox", required: true }), "I have checked these commands"),
  ]);
  enableLater(submit);
  return form;
}

function rejectPanel(approval, panel) {
  const reason = element("textarea", { id: `reason-${approval.id}`, rows: "2", required: true, maxlength: "4000" });
  const submit = element("button", { type: "submit", class: "button button-danger" }, "Yes, reject");
  return decisionForm(approval, panel, "reject", submit, () => ({ reason: reason.value.trim() }), [
    element("div", { class: "field" }, element("label", { for: reason.id }, "Why not? The next plan learns from it."), reason),
  ]);
}

function decisionForm(approval, panel, verb, submit, body, content) {
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

function decidedEntry(approval, isOpen) {
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

function onKey(event) {
  const card = event.target.closest(".request");
  if (event.key === "Escape" && card) return closePanel(card.querySelector(".panel"));
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

function select(card) {
  card?.focus();
  card?.scrollIntoView({ block: "nearest" });
}

/* A request that appears under a key or a pointer already going down is not approved by it. */
function enableLater(button) {
  setTimeout(() => (button.disabled = false), SETTLE_MS);
}

function own(table, key) {
  return table && typeof table === "object" && Object.hasOwn(table, key) ? table[key] : null;
}

function text(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function announce(sentence) {
  byId("announcer").textContent = sentence;
}
