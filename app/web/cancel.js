/* Stops a workflow after one question, by mouse, finger or keyboard. */

import { announce } from "./announcer.js";
import { cancelWorkflow } from "./api.js";
import { element, replaceContent } from "./dom.js";

export class CancelButton {
  #isAsked = false;
  #button = button("Cancel", "button-danger", () => this.#isAsked || this.#dialog.showModal());
  #trouble = element("span", { class: "bad-text small", role: "alert" });
  #dialog = element(
    "dialog",
    { "aria-labelledby": "cancel-title" },
    element("h2", { id: "cancel-title" }, "Cancel this workflow?"),
    element("p", {}, "The agents stop. What they found so far stays, and a submitted proposal can still be decided."),
    element(
      "div",
      { class: "row" },
      button("Keep it running", "", () => this.#dialog.close()),
      button("Yes, cancel it", "button-danger", () => this.#cancel()),
    ),
  );
  root = element("div", { class: "row", hidden: true }, this.#trouble, this.#button, this.#dialog);

  /* onHidden: takes the focus when it would go away with the button. */
  constructor(workflowId, onHidden) {
    this.workflowId = workflowId;
    this.onHidden = onHidden;
  }

  show() {
    this.root.hidden = false;
  }

  hide() {
    this.#dialog.close();
    const hadFocus = this.root.contains(document.activeElement);
    this.root.hidden = true;
    if (hadFocus) this.onHidden();
  }

  async #cancel() {
    this.#dialog.close();
    this.#setAsked(true);
    try {
      await cancelWorkflow(this.workflowId);
      announce("The workflow is being cancelled.");
    } catch (error) {
      this.#setAsked(false);
      replaceContent(this.#trouble, error.message);
    }
  }

  /* Not disabled meanwhile: that would throw the focus away. */
  #setAsked(isAsked) {
    this.#isAsked = isAsked;
    replaceContent(this.#trouble);
    replaceContent(this.#button, isAsked ? "Cancelling …" : "Cancel");
    this.#button.setAttribute("aria-disabled", String(isAsked));
  }
}

function button(words, tone, onclick) {
  return element("button", { type: "button", class: `button ${tone}`, onclick }, words);
}
