/* Logs from Elasticsearch: how far back, and which. */

import { element, replaceContent } from "./dom.js";
import { countOf } from "./format.js";

const UNITS = [["1", "seconds"], ["60", "minutes"], ["3600", "hours"]];

export class LogFetch {
  #amount = element("input", { type: "number", id: "fetch-amount", min: "1", step: "1", value: "15", required: true });
  #unit = element(
    "select",
    { id: "fetch-unit", "aria-label": "Unit of time" },
    UNITS.map(([seconds, words]) => element("option", { value: seconds, selected: seconds === "60" }, words)),
  );
  #query = element("input", { type: "text", id: "fetch-query", value: "*", spellcheck: "false", maxlength: "2000" });
  #button = element("button", { type: "submit", class: "button" }, "Fetch logs");
  #answer = element("p", { class: "small", role: "status" });

  /* fetchLogs(seconds, query) resolves to text or null; onText gets the text. */
  constructor(fetchLogs, onText) {
    this.fetchLogs = fetchLogs;
    this.onText = onText;
    this.root = element(
      "form",
      { class: "card stack-tight", onsubmit: (event) => this.#submit(event) },
      element("h2", {}, "Fetch from Elasticsearch"),
      element(
        "div",
        { class: "field" },
        element("label", { for: "fetch-amount" }, "From the last"),
        element("div", { class: "row nowrap" }, this.#amount, this.#unit),
      ),
      element("div", { class: "field" }, element("label", { for: "fetch-query" }, "Query (Lucene)"), this.#query),
      element("div", { class: "row" }, this.#button),
      this.#answer,
    );
  }

  async #submit(event) {
    event.preventDefault();
    this.#button.disabled = true;
    this.#say("Fetching …", "muted");
    try {
      const seconds = Number(this.#amount.value) * Number(this.#unit.value);
      this.#receive(await this.fetchLogs(seconds, this.#query.value.trim() || "*"));
    } catch (error) {
      this.#say(error.message, "bad-text");
    } finally {
      this.#button.disabled = false;
    }
  }

  #receive(text) {
    if (text === null) return this.#say("No logs in that time for that query.", "muted");
    this.#say(`${countOf(text.split("\n").length, "line")} fetched.`, "good-text");
    this.onText(text);
  }

  #say(sentence, kind) {
    this.#answer.className = `small ${kind}`;
    replaceContent(this.#answer, sentence);
  }
}
