/* What came of an approval: whether it helped, from facts, and how it was or can be taken back. */

import { badge } from "./badge.js";
import { element, replaceContent } from "./dom.js";
import { giveBackFocus } from "./focus.js";
import { formatTime } from "./format.js";
import { plain } from "./plain.js";
import { undoOf } from "./proof.js";

const OUTCOMES = {
  recovered: ["It helped", "good"],
  not_recovered: ["It did not help", "bad"],
  unknown: ["Not known whether it helped", "warn"],
  undone: ["The outcome was taken back", "info"],
};
const YES = "Yes, take it back";
const MAY_HAVE_RUN = new Set(["succeeded", "unknown"]);
const HOLDS = new Map([
  [true, ["holds", "good"]],
  [false, ["does not hold", "bad"]],
  [null, ["could not be read", "warn"]],
]);

export function verificationPart({ verification, outcome }) {
  if (!verification) return null;
  return element(
    "section",
    { class: "proof stack-tight", "aria-label": "Whether it helped" },
    element("div", {}, outcomeBadge(outcome), " ", plain(verification.sentence), " ", element("span", { class: "small muted" }, formatTime(verification.at))),
    element("ul", { class: "plain stack-tight" }, verification.facts.map(factLine)),
  );
}

export function outcomeBadge(outcome) {
  const [words, tone] = Object.hasOwn(OUTCOMES, outcome) ? OUTCOMES[outcome] : OUTCOMES.unknown;
  return badge(words, tone);
}

/* The button that takes it back, and one question before it does. `undo(id, body)` may reject. */
export class UndoPart {
  root = element("div", { class: "stack-tight" });
  #drawn = "";

  constructor(undo) {
    this.undo = undo;
  }

  update(approval) {
    const { can_undo: canUndo, undo } = approval;
    const words = JSON.stringify([canUndo, undo]);
    if (words === this.#drawn) return;
    this.#drawn = words;
    if (undo) replaceContent(this.root, element("p", {}, plain(`${undo.by || "Somebody"} had it taken back, ${formatTime(undo.at)}.`)));
    else if (canUndo) this.#offer(approval);
    else replaceContent(this.root);
  }

  #offer(approval) {
    const begin = element("button", { type: "button", class: "button button-small", onclick: () => this.#confirm(approval) }, "Undo");
    replaceContent(this.root, element("div", {}, begin));
    return begin;
  }

  #confirm(approval) {
    const failure = element("p", { class: "banner banner-bad", role: "alert", hidden: true });
    let isSure = false;
    const yes = element("button", { type: "button", class: "button button-danger" }, YES);
    const no = element("button", { type: "button", class: "button", onclick: () => this.#offer(approval).focus() }, "Leave it");
    yes.addEventListener("click", async () => {
      yes.disabled = true;
      try {
        await this.undo(approval.id, isSure ? { confirm: true } : {});
        giveBackFocus(this.root.closest("details")?.querySelector("summary"));
      } catch (error) {
        yes.disabled = false;
        failure.hidden = false;
        replaceContent(failure, plain(error.message));
        isSure = Boolean(error.answer?.needs_confirmation);
        replaceContent(yes, isSure ? "Undo it nevertheless" : YES);
        giveBackFocus(yes);
      }
    });
    replaceContent(
      this.root,
      element(
        "div",
        { class: "panel stack-tight" },
        element("p", {}, "This runs now, the last change first:"),
        takenBack(approval).map(({ proof }) => element("div", { class: "stack-tight" }, undoOf(proof.undo))),
        failure,
        element("div", { class: "row" }, yes, no),
      ),
    );
    no.focus();
  }
}

function takenBack({ commands }) {
  return commands.filter(({ status, proof }) => MAY_HAVE_RUN.has(status) && proof && proof.undo.kind !== "none").reverse();
}

function factLine({ name, reference, holds, detail }) {
  const [words, tone] = HOLDS.get(holds) ?? HOLDS.get(null);
  return element(
    "li",
    { class: "row" },
    badge(words, tone),
    element("span", {}, plain(name), " ", element("code", {}, plain(reference))),
    detail && element("span", { class: "small muted" }, plain(detail)),
  );
}
