/* The proof card: what the cluster says a command would do, and how it is taken back. */

import { badge } from "./badge.js";
import { commandText } from "./command.js";
import { element } from "./dom.js";
import { plain, text } from "./plain.js";
import { factList, folded } from "./section.js";
import { config } from "./server.js";

const STATES = {
  proven: ["Tried on the cluster, without a change", "good"],
  read_only: ["Only reads", "good"],
  refused: ["The cluster refuses it", "bad"],
  unreachable: ["The cluster could not be asked", "warn"],
  no_cluster: ["No cluster", ""],
};
const UNDO = { command: "Undo", recreate: "Undo: creates it again", none: "No undo" };
const SET_BACK = "By hand: set each field back to what it was before, as shown here, with one command for each object.";
const SAVE_FIRST = "By hand: save each object before it runs (kubectl get … --output=yaml), and apply what was saved to bring it back.";
const FEW = 8;

export function proofCard({ proof, is_refused: isRefused }) {
  if (isRefused || (!proof && !config.has_cluster)) return null;
  if (!proof) return element("p", { class: "proof muted" }, "looking at the cluster …");
  const [words, tone] = Object.hasOwn(STATES, proof.state) ? STATES[proof.state] : [proof.state, ""];
  return element(
    "section",
    { class: "proof stack-tight", "aria-label": "What the cluster says" },
    element("div", {}, badge(words, tone), " ", plain(proof.sentence)),
    warnings(proof),
    diff(proof.changes),
    [proof.object, ...proof.others].filter(Boolean).map(liveObject),
    undo(proof),
  );
}

export function undoOf({ kind, command, why }) {
  if (kind === "command") return commandText(command);
  return plain(why || (kind === "recreate" ? "Creates it again." : "Nothing is known that takes it back."));
}

/* What is left to do where one command changes several objects, of which no click takes care. */
export function byHand({ undo: { kind }, others, changes }) {
  if (kind !== "none" || others.length === 0) return null;
  return element("span", { class: "muted" }, changes.length > 0 ? SET_BACK : SAVE_FIRST);
}

function warnings({ warnings: sentences, object }) {
  const gitops = object?.managed_by;
  const isSaid = sentences.some((sentence) => sentence.includes(gitops));
  const all = gitops && !isSaid ? [`${gitops} manages this object and will revert a change made here.`, ...sentences] : sentences;
  if (all.length === 0) return null;
  return element(
    "ul",
    { class: "banner banner-warn bullets", "aria-label": "Warnings" },
    all.map((sentence) => element("li", {}, plain(sentence))),
  );
}

function diff(changes) {
  if (changes.length === 0) return null;
  const rows = changes.map(change);
  return element(
    "div",
    { class: "stack-tight" },
    element("h4", {}, "What would change"),
    rows.slice(0, FEW),
    rows.length > FEW && folded(`${rows.length - FEW} more fields`, rows.slice(FEW)),
  );
}

function change({ path, before, after }) {
  return element(
    "div",
    { class: "change" },
    element("div", { class: "path" }, plain(path)),
    side("−", "before: ", before, "before"),
    side("+", "after: ", after, "after"),
  );
}

function side(sign, words, value, kind) {
  const isThere = value !== null && value !== undefined;
  return element(
    "div",
    { class: `side ${kind}` },
    element("span", { "aria-hidden": "true" }, `${sign} `),
    element("span", { class: "visually-hidden" }, words),
    isThere ? plain(value) : element("em", {}, "not there"),
  );
}

function liveObject(object) {
  const { reference, resource_version: version, replicas, owner, disruption_budgets: budgets, managed_by: manager } = object;
  return factList([
    ["Object", element("code", {}, plain(reference))],
    ["Version", element("code", {}, plain(version))],
    ["Replicas", replicas === null ? null : text(replicas)],
    ["Owner", owner && plain(owner)],
    ["Disruption budgets", budgets.map((sentence) => element("div", {}, plain(sentence)))],
    ["Managed by", manager && plain(manager)],
  ]);
}

function undo(proof) {
  const { kind } = proof.undo;
  if (proof.state !== "proven") return null;
  return element(
    "div",
    { class: "stack-tight small" },
    element("strong", {}, UNDO[kind] ?? kind),
    undoOf(proof.undo),
    byHand(proof),
    kind === "command" && proof.undo.why && element("span", { class: "muted" }, plain(proof.undo.why)),
  );
}
