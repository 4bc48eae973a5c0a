/* A plan's rating: stars, helpful or not, comment, improvement. Only what was set is sent. */

import { element, replaceContent } from "./dom.js";

const STARS = ["Useless", "Poor", "Fair", "Good", "Exactly right"];

export class RatingForm {
  #answer = element("p", { class: "small", role: "status" });
  #button = element("button", { type: "submit", class: "button button-primary" }, "Send rating");

  /* send(feedback) resolves to {message} or rejects with a sentence. */
  constructor(feedbackId, send) {
    this.feedbackId = feedbackId;
    this.send = send;
    this.root = element(
      "form",
      { class: "stack-tight rating", onsubmit: (event) => this.#submit(event) },
      choices("Rating", "rating", STARS.map((words, index) => [index + 1, starLabel(index + 1, words)])),
      choices("Was the plan helpful?", "was_helpful", [["true", "Yes"], ["false", "No"]]),
      words("Comment", "feedback_comments", `comment-${feedbackId}`),
      words("What should be better next time?", "improvements_suggested", `improvement-${feedbackId}`),
      element("div", { class: "row" }, this.#button, resetButton(), this.#answer),
    );
  }

  async #submit(event) {
    event.preventDefault();
    const feedback = collect(this.root);
    if (Object.keys(feedback).length === 0) return this.#say("Nothing is set yet.", "muted");
    this.#button.disabled = true;
    try {
      const { message } = await this.send({ feedback_id: this.feedbackId, ...feedback });
      this.#say(message || "Thank you, the rating is stored.", "good-text");
    } catch (error) {
      this.#say(error.message, "bad-text");
    } finally {
      this.#button.disabled = false;
    }
  }

  #say(sentence, kind) {
    this.#answer.className = `small ${kind}`;
    replaceContent(this.#answer, sentence);
  }
}

function collect(form) {
  const values = new FormData(form);
  const feedback = {};
  if (values.has("rating")) feedback.rating = Number(values.get("rating"));
  if (values.has("was_helpful")) feedback.was_helpful = values.get("was_helpful") === "true";
  for (const field of ["feedback_comments", "improvements_suggested"]) {
    const text = values.get(field).trim();
    if (text) feedback[field] = text;
  }
  return feedback;
}

function choices(title, name, options) {
  return element(
    "fieldset",
    {},
    element("legend", { class: "legend" }, title),
    element(
      "div",
      { class: "choices" },
      options.map(([value, label]) =>
        element("label", { class: "choice" }, element("input", { type: "radio", name, value }), label),
      ),
    ),
  );
}

function starLabel(count, words) {
  return element(
    "span",
    {},
    element("span", { class: "stars", "aria-hidden": "true" }, "★".repeat(count)),
    ` ${count} `,
    element("span", { class: "muted small" }, words),
  );
}

function words(label, name, id) {
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, label),
    element("textarea", { id, name, rows: "2", maxlength: "4000" }),
  );
}

function resetButton() {
  return element("button", { type: "reset", class: "button" }, "Clear");
}
