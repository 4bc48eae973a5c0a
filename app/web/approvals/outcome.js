/* What came of an approval: whether it helped, from facts, and how it was or can be taken back. */

import { badge } from "./badge.js";
import { element, replaceContent } from "./dom.js";
import { giveBackFocus } from "./focus.js";
import { formatTime } from "./format.js";
import { plain } from "./plain.js";
import { undoOf } from "./proof.js";

const RECOVERIES = {
  recovered: ["It helped", "good"],
  not_recovered: ["It did not help", "bad"],
  unknown: ["Not known whether it helped", "warn"],
};
const HOLDS = new Map([
  [true, ["holds", "good"]],
  [false, ["does not hold", "bad"]],
  [null, ["could not be read", "warn"]],
]);

export function verificationPart({ verification }) {
  if (!verification) return null;
  return element(
    "section",
    { class: "proof stack-tight", "aria-label": "Whether it helped" },
    element("div", {}, recoveryBadge(verification), " ", plain(verification.sentence), " ", element("span", { class: "small muted" }, formatTime(verification.at))),
    element("ul", { class: "plain stack-tight" }, verification.facts.map(factLine)),
  );
}

export function recoveryBadge({ recovery }) {
  const [words, tone] = Object.hasOwn(RECOVERIES, recovery) ? RECOVERIES[recovery] : RECOVERIES.unknown;
  return badge(words, tone);
}

/* The button that takes it back, and one question before it does. `undo(id)` may reject. */
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
    const yes = element("button", { type: "button", class: "button button-danger" }, "Yes, take it back");
    const no = element("button", { type: "button", class: "button", onclick: () => this.#offer(approval).focus() }, "Leave it");
    yes.addEventListener("click", async () => {
      yes.disabled = true;
      try {
        await this.undo(approval.id);
        giveBackFocus(this.root.closest("details")?.querySelector("summary"));
      } catch (error) {
        yes.disabled = false;
        failure.hidden = false;
        replaceContent(failure, plain(error.message));
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
  return commands.filter(({ status, proof }) => status === "succeeded" && proof && proof.undo.kind !== "none").reverse();
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
