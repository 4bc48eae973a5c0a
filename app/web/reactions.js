/* What became of each plan: who decided what, how every command ended, and whether it helped. */

import { badge, decisionBadge } from "./badge.js";
import { element, replaceContent } from "./dom.js";
import { folded, paragraph } from "./section.js";

const ENDS = {
  succeeded: ["Succeeded", "good"],
  failed: ["Failed", "bad"],
  unknown: ["Nobody saw how it ended", "warn"],
  skipped: ["Not run", "warn"],
  recorded: ["Recorded, not run", "info"],
  undone: ["Taken back", "info"],
  undo_failed: ["Could not be taken back", "bad"],
  undo_unknown: ["Nobody saw how its undo ended", "warn"],
  undo_skipped: ["Not taken back", "warn"],
};
const RECOVERIES = {
  recovered: ["Recovered", "good"],
  not_recovered: ["Not recovered", "bad"],
  unknown: ["Not known whether it helped", "warn"],
};
const UNDOES = new Set(["undone", "undo_unknown"]);
const CHOICES = { rejected: ["Rejected", "bad"], edited: ["Changed", "info"], undecided: ["Not decided", ""] };

export class ReactionsCard {
  #plans = new Map();
  #list = element("div", { class: "stack" });
  root = element(
    "section",
    { class: "card stack-tight", hidden: true },
    element("h2", {}, "What became of it"),
    this.#list,
  );

  /* A sentence for people who cannot see the card. */
  decision(fact) {
    const sentence = this.#plan(fact.feedback_id).decide(fact);
    if (fact.outcome) this.outcome(fact.outcome); // it came after the outcome, and changes it
    return sentence;
  }

  execution(fact) {
    return this.#plan(fact.feedback_id).end(fact);
  }

  outcome(fact) {
    for (const plan of fact.plans ?? []) this.#plan(plan.feedback_id).conclude(plan);
    const [words] = wordsOf(RECOVERIES, fact.recovery, "not measured");
    const block = outcomeBlock(fact);
    if (block) this.#list.append(block);
    return `Outcome: ${words}`;
  }

  #plan(feedbackId) {
    const known = this.#plans.get(feedbackId);
    if (known) return known;
    const plan = new PlanCourse(feedbackId);
    this.#plans.set(feedbackId, plan);
    this.root.hidden = false;
    this.#list.append(plan.root);
    return plan;
  }
}

class PlanCourse {
  #concluded = null;
  #isUndone = false;
  #title = element("h3");
  #decision = element("li", { class: "stack-tight" }, element("strong", {}, "Decision: "), "not known yet");
  #commands = element("ol", { class: "bullets stack-tight" });
  #execution = element("li", { class: "stack-tight" }, element("strong", {}, "Execution: "), "nothing has run");
  #outcome = element("li", { class: "stack-tight" }, element("strong", {}, "Outcome: "), "not known yet");

  constructor(feedbackId) {
    this.name = `Plan ${/_remediation_(\d+)$/.exec(feedbackId ?? "")?.[1] ?? ""}`.trim();
    replaceContent(this.#title, this.name);
    this.root = element(
      "article",
      { class: "block stack-tight" },
      this.#title,
      element("ol", { class: "plain stack-tight" }, this.#decision, this.#execution, this.#outcome),
    );
  }

  decide({ status, reviewer, rejection_reason: reason, commands = [], is_signed: isSigned, is_late: isLate }) {
    replaceContent(
      this.#decision,
      element(
        "div",
        { class: "row" },
        element("strong", {}, "Decision: "),
        decisionBadge(status),
        reviewer && element("span", {}, `by ${reviewer}`),
        !isSigned && badge("Unsigned"),
        isLate && badge("After it had expired"),
      ),
      paragraph(reason && `Reason: ${reason}`),
      commands.filter(({ decision }) => decision !== "approved").map(choiceBlock),
    );
    return `${this.name}: decided, ${status}`;
  }

  end({ number, command, status, output }) {
    const [words, tone] = wordsOf(ENDS, status, String(status));
    this.#commands.append(
      element(
        "li",
        { class: "stack-tight" },
        badge(words, tone),
        element("pre", { class: "command" }, command),
        output && folded("What it printed", element("pre", { class: "quote" }, output)),
      ),
    );
    replaceContent(this.#execution, element("strong", {}, "Execution: "), this.#commands);
    this.#isUndone ||= UNDOES.has(status);
    this.#drawOutcome();
    return `${this.name}: command ${number + 1}: ${words}`;
  }

  conclude({ issue, recovery, sentence }) {
    if (issue) replaceContent(this.#title, `${this.name}: ${issue}`);
    this.#concluded = { recovery, sentence };
    this.#drawOutcome();
  }

  /* What was measured stands until it is undone. */
  #drawOutcome() {
    if (!this.#concluded) return;
    const { recovery, sentence } = this.#concluded;
    const [words, tone] = this.#isUndone ? ["Undone afterwards", "info"] : wordsOf(RECOVERIES, recovery, "Not measured");
    replaceContent(
      this.#outcome,
      element("div", { class: "row" }, element("strong", {}, "Outcome: "), badge(words, tone)),
      paragraph(sentence && this.#isUndone ? `Before that: ${sentence}` : sentence),
    );
  }
}

function choiceBlock({ command, decision, edited_to: edited, reason }) {
  return element(
    "div",
    { class: "stack-tight" },
    badge(...wordsOf(CHOICES, decision, String(decision))),
    element("pre", { class: "command" }, edited || command),
    edited && [element("span", { class: "muted small" }, "changed from"), element("pre", { class: "command" }, command)],
    paragraph(reason && `Reason: ${reason}`, "small"),
  );
}

function outcomeBlock({ facts = [] }) {
  if (facts.length === 0) return null;
  return folded("What was looked at in the cluster", element("ul", { class: "bullets" }, facts.map(factItem)));
}

function factItem({ reference, name, holds, detail }) {
  const [words, tone] = holds === true ? ["Holds", "good"] : holds === false ? ["Does not hold", "bad"] : ["Not readable", "warn"];
  return element("li", {}, badge(words, tone), ` ${name}: `, element("code", {}, reference), detail && ` (${detail})`);
}

function wordsOf(table, key, otherwise) {
  return Object.hasOwn(table, key) ? table[key] : [otherwise, ""];
}
