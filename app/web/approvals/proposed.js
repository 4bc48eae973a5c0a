/* One proposed command: what it is, what the cluster says of it, and the choice about it. */

import { badge } from "./badge.js";
import { Choice } from "./choice.js";
import { commandText } from "./command.js";
import { element, replaceContent } from "./dom.js";
import { evidenceBadge, own, phaseNote, riskBadge } from "./judged.js";
import { plain, text } from "./plain.js";
import { proofCard } from "./proof.js";

export class ProposedCommand {
  #shown = element("div", { class: "stack-tight" });
  #drawn = "";

  constructor(command, metadata, approvalId) {
    this.choice = command.is_refused ? null : new Choice(command, `choice-${approvalId}-${command.number}`);
    this.metadata = metadata;
    this.root = element("li", { class: "stack-tight" }, this.#shown, this.choice?.root);
    this.update(command);
  }

  get isDestructive() {
    return this.command.risk === "DESTRUCTIVE";
  }

  get note() {
    return own(this.metadata.notes, this.command.command);
  }

  /* What is being typed or chosen stays as it is. */
  update(command) {
    const words = JSON.stringify(command);
    if (words === this.#drawn) return;
    this.#drawn = words;
    this.command = command;
    replaceContent(this.#shown, this.#parts());
  }

  #parts() {
    const { number, command, explanation, reasons } = this.command;
    const rollback = own(this.metadata.rollback, command);
    return [
      element(
        "div",
        { class: "row" },
        element("strong", {}, `${number + 1}.`),
        riskBadge(this.command),
        evidenceBadge(this.command),
        this.note && badge(plain(this.note), "warn"),
        phaseNote(this.command),
      ),
      commandText(command),
      explanation && element("p", {}, plain(explanation)),
      element("p", { class: "small" }, element("span", { class: "muted" }, "Policy: "), plain(reasons.join("; ") || "no remarks")),
      proofCard(this.command),
      rollback && element("div", { class: "small" }, element("span", { class: "muted" }, "The plan takes it back with:"), commandText([rollback].flat().map(text).join("\n"))),
    ];
  }
}
