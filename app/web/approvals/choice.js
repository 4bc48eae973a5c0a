/* What a person says to one command: approve, reject or edit it, and why. */

import { element, replaceContent } from "./dom.js";
import { plain } from "./plain.js";

const WORDS = { approved: "Approve", rejected: "Reject", edited: "Edit" };
const NOT_CONFIRMED = "Confirm that you have checked this object yourself, or reject the command.";
const EMPTY = "Write the command, or choose another decision.";

export class Choice {
  #number;
  #radios = {};
  #confirm;
  #edit;
  #editField;
  #reason;
  #reasonField;
  #problem;

  /* `name` is unique in the page. */
  constructor(command, name) {
    this.#number = command.number;
    this.#problem = element("p", { class: "bad-text small", id: `${name}-problem`, role: "alert", hidden: true });
    const described = { "aria-describedby": `${name}-problem` };
    this.#confirm = command.in_evidence === false && element("input", { type: "checkbox", ...described });
    this.#edit = element("textarea", { id: `${name}-edit`, class: "mono", rows: "3", maxlength: "8192", spellcheck: "false", ...described });
    this.#edit.value = command.command;
    this.#reason = element("textarea", { id: `${name}-reason`, rows: "2", maxlength: "4000" });
    this.#editField = field("Run this instead", this.#edit);
    this.#reasonField = field("Why not? Or give one reason for all when you decide.", this.#reason);
    this.root = element(
      "fieldset",
      // A text that changes as its field is left must not move the button that is being pressed.
      { class: "stack-tight", onchange: ({ target }) => target.type !== "textarea" && this.#show() },
      element("legend", { class: "visually-hidden" }, `Decision on command ${command.number + 1}`),
      element("div", { class: "row" }, Object.keys(WORDS).map((decision) => this.#radio(decision, name))),
      this.#confirm && element("label", { class: "choice not-in-evidence" }, this.#confirm, "Not in evidence: the logs do not name this. I have checked that it is right."),
      this.#editField,
      this.#reasonField,
      this.#problem,
    );
    this.#show();
  }

  get decision() {
    return Object.keys(WORDS).find((decision) => this.#radios[decision].checked);
  }

  get runs() {
    return this.decision !== "rejected";
  }

  get reason() {
    return this.#reason.value.trim();
  }

  get lacksReason() {
    return !this.runs && !this.reason;
  }

  /* As the server takes it; `reason` is the one for all rejections. */
  toBody(reason) {
    const body = { number: this.#number, decision: this.decision };
    if (this.decision === "edited") body.edited_to = this.#edit.value;
    if (!this.runs) body.reason = this.reason || reason;
    return body;
  }

  /* Whether nothing is missing; else it says what, and has the focus there. */
  check() {
    this.#forget();
    if (this.runs && this.#confirm && !this.#confirm.checked) this.refuse(NOT_CONFIRMED, this.#confirm);
    else if (this.decision === "edited" && !this.#edit.value.trim()) this.refuse(EMPTY);
    return this.#problem.hidden;
  }

  refuse(sentence, at = this.#edit) {
    this.#problem.hidden = false;
    replaceContent(this.#problem, plain(sentence));
    at.setAttribute("aria-invalid", "true");
    at.focus();
  }

  edit() {
    this.#radios.edited.checked = true;
    this.#show();
    this.#edit.focus();
  }

  #radio(decision, name) {
    this.#radios[decision] = element("input", { type: "radio", name, value: decision, checked: decision === "approved" });
    return element("label", { class: "choice" }, this.#radios[decision], WORDS[decision]);
  }

  #show() {
    this.#forget();
    this.#editField.hidden = this.decision !== "edited";
    this.#reasonField.hidden = this.runs;
    if (this.#confirm) this.#confirm.closest("label").hidden = !this.runs;
  }

  #forget() {
    this.#problem.hidden = true;
    for (const at of [this.#edit, this.#confirm]) if (at) at.removeAttribute("aria-invalid");
  }
}

function field(words, input) {
  return element("div", { class: "field" }, element("label", { for: input.id }, words), input);
}
