/* The earlier decisions that shaped this plan, and why each was chosen. */

import { badge } from "./badge.js";
import { element } from "./dom.js";
import { formatPercent, formatScore } from "./format.js";
import { factList, paragraph } from "./section.js";

const ROLES = { accepted: ["Followed", "good"], rejected: ["Avoided", "bad"] };

export class ExamplesCard {
  #list = element("ul", { class: "plain stack-tight" });
  root = element(
    "section",
    { class: "card stack-tight", hidden: true },
    element("h2", {}, "Learned from earlier decisions"),
    this.#list,
  );

  /* The others have a list here, so its absence is explained. */
  explainHoldout(sentence) {
    this.root.hidden = false;
    this.#list.before(paragraph(sentence, "banner banner-info"));
  }

  add(example) {
    this.root.hidden = false;
    this.#list.append(exampleItem(example));
  }
}

function exampleItem(example) {
  const [words, tone] = Object.hasOwn(ROLES, example.role) ? ROLES[example.role] : [String(example.role ?? "Used"), ""];
  return element(
    "li",
    { class: "block stack-tight" },
    element("div", { class: "row" }, badge(words, tone), element("strong", {}, example.issue)),
    paragraph(example.reason),
    factList([
      ["Actions", example.actions?.join(", ")],
      ["People changed", editLines(example.edits)],
      ["Reviewer said", example.note],
      ["Circumstances", example.facets?.join("; ")],
      ["Similarity", formatPercent(example.similarity)],
      ["Reward", formatScore(example.reward)],
      ["Plan", example.feedback_id && element("code", {}, example.feedback_id)],
    ]),
  );
}

function editLines(edits) {
  return (edits ?? []).map((edit) => element("div", {}, element("code", {}, edit.proposed), " to ", element("code", {}, edit.changed_to)));
}
