/* What a person says to one command: approve, reject or edit it, and why. */

import { element, replaceContent } from "./dom.js";
import { plain } from "./plain.js";

const WORDS = { approved: "Approve", rejected: "Reject", edited: "Edit" };
const NOT_CONFIRMED = "Confirm that you have checked this object yourself, or reject the command.";
const UNSEEN_EDIT = "The workflow has not seen what this text changes. Confirm that you have checked it, or change the text.";
const EMPTY = "Write the command, or choose another decision.";

export class Choice {
  #number;
  #isUnseen;
  #unseenText = null; // what the server wants to have confirmed
  #radios = {};
  #confirm;
  #confirmField;
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
    this.#isUnseen = command.in_evidence === false;
    this.#confirm = element("input", { type: "checkbox", ...described });
    this.#confirmField = element("label", { class: "choice not-in-evidence" }, this.#confirm, "Not in evidence: the logs do not name this. I have checked that it is right.");
    this.#edit = element("textarea", { id: `${name}-edit`, class: "mono", rows: "3", maxlength: "8192", spellcheck: "false", oninput: () => this.#reword(), ...described });
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
      this.#editField,
      this.#confirmField,
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

  /* Its number where a person confirmed it, else nothing. */
  get confirmed() {
    return this.#needsConfirmation && this.#confirm.checked ? [this.#number] : [];
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
    if (this.#needsConfirmation && !this.#confirm.checked) this.refuse(NOT_CONFIRMED, this.#confirm);
    else if (this.decision === "edited" && !this.#edit.value.trim()) this.refuse(EMPTY);
    return this.#problem.hidden;
  }

  /* The server knows only when it judges an edit that it is about something else. */
  askToConfirm() {
    this.#unseenText = this.#edit.value;
    this.#confirm.checked = false;
    this.#show();
    this.refuse(UNSEEN_EDIT, this.#confirm);
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

  get #needsConfirmation() {
    const isUnseenEdit = this.decision === "edited" && this.#edit.value === this.#unseenText;
    return this.runs && (this.#isUnseen || isUnseenEdit);
  }

  /* What was confirmed was another text. */
  #reword() {
    this.#confirm.checked = false;
    this.#confirmField.hidden = !this.#needsConfirmation;
  }

  #radio(decision, name) {
    this.#radios[decision] = element("input", { type: "radio", name, value: decision, checked: decision === "approved" });
    return element("label", { class: "choice" }, this.#radios[decision], WORDS[decision]);
  }

  #show() {
    this.#forget();
    this.#editField.hidden = this.decision !== "edited";
    this.#reasonField.hidden = this.runs;
    this.#confirmField.hidden = !this.#needsConfirmation;
  }

  #forget() {
    this.#problem.hidden = true;
    for (const at of [this.#edit, this.#confirm]) at.removeAttribute("aria-invalid");
  }
}

function field(words, input) {
  return element("div", { class: "field" }, element("label", { for: input.id }, words), input);
}
