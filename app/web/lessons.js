/* The rules that later plans learn from, each with its evidence and a switch. */

import { lessons, switchLesson } from "./api.js";
import { element, replaceContent } from "./dom.js";
import { formatPercent, formatTime } from "./format.js";
import { factList, paragraph } from "./section.js";

export class LessonsCard {
  #list = element("ul", { class: "plain stack-tight" });
  #said = element("p", { class: "small", role: "status" });
  root = element(
    "section",
    { class: "card stack-tight" },
    element("h2", {}, "Lessons"),
    paragraph("What reviewers mostly decided. New plans are told the lessons that are switched on.", "muted"),
    this.#list,
    this.#said,
  );

  async open() {
    try {
      this.#show((await lessons()).lessons ?? []);
    } catch (error) {
      this.#say(error.message, "bad-text");
    }
  }

  #show(found) {
    const none = paragraph("None yet: a lesson needs at least four decisions that mostly agree.", "muted");
    replaceContent(this.#list, found.length === 0 ? element("li", {}, none) : found.map((lesson) => this.#item(lesson)));
  }

  #item(lesson) {
    const box = element("input", { type: "checkbox", onchange: () => this.#switch(lesson, box) });
    box.checked = lesson.active;
    return element(
      "li",
      { class: "block stack-tight" },
      element("label", { class: "row" }, box, element("strong", {}, lesson.sentence)),
      factList([
        ["Agree at least", formatPercent(lesson.certainty)],
        ["Evidence since", formatTime(lesson.since)],
        ["Last supported", formatTime(lesson.supported_at)],
        ["Last contradicted", lesson.contradicted_at && formatTime(lesson.contradicted_at)],
      ]),
    );
  }

  async #switch(lesson, box) {
    box.disabled = true;
    try {
      const { active } = await switchLesson(lesson.id, box.checked);
      box.checked = active;
      this.#say(active ? "Switched on." : "Switched off: new plans are not told.", "good-text");
    } catch (error) {
      box.checked = !box.checked;
      this.#say(error.message, "bad-text");
    } finally {
      box.disabled = false;
    }
  }

  #say(sentence, kind) {
    this.#said.className = `small ${kind}`;
    replaceContent(this.#said, sentence);
  }
}
