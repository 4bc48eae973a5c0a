/* The way in: paste, drop, choose or fetch logs, or take an example. */

import { announce } from "./announcer.js";
import { fetchedLogs, sampleText, samples, startWorkflow } from "./api.js";
import { hasLogSource, largestInputMib } from "./backend.js";
import { element, replaceContent } from "./dom.js";
import { countOf, formatBytes } from "./format.js";
import { FilePicker } from "./file.js";
import { LogFetch } from "./fetch.js";
import { banner, card } from "./section.js";

export class StartView {
  title = "Start";
  #text = element("textarea", {
    id: "logs",
    class: "mono",
    rows: "14",
    spellcheck: "false",
    placeholder: "kubectl logs, kubectl describe, events, anything a pod wrote",
    onkeydown: (event) => (event.ctrlKey || event.metaKey) && event.key === "Enter" && this.#start(),
    oninput: () => this.#showSizeSoon(),
  });
  #timer = null;
  #size = element("span", { class: "muted small number" });
  #button = element("button", { type: "button", class: "button button-primary", onclick: () => this.#start() }, "Investigate");
  #progress = element("progress", { max: "1", value: "0", "aria-label": "Upload", hidden: true });
  #trouble = element("div", { role: "alert" });
  #samples = element("ul", { class: "plain samples" });
  #file = new FilePicker((file) => this.#chooseFile(file));
  #fetch = new LogFetch(fetchedLogs, (text) => this.#setText(text, "The fetched logs are in the text field."));
  #fetchOff = card(
    "Fetch from Elasticsearch",
    element("p", { class: "muted small" }, "Off: the backend was started without ELASTICSEARCH_URL."),
  );

  constructor() {
    this.root = element(
      "div",
      { class: "stack" },
      element("h1", { tabindex: "-1" }, "What went wrong?"),
      element(
        "p",
        { class: "muted lead" },
        "Give the logs; four agents find the cause and write a plan. Nothing runs before a person approves it.",
      ),
      element("div", { class: "columns columns-start" }, this.#inputCard(), this.#sideCards()),
    );
    this.#file.acceptDrops(this.root);
  }

  async open() {
    try {
      const answer = await samples();
      replaceContent(this.#samples, (answer.samples ?? []).map((sample) => this.#sampleItem(sample)));
    } catch (error) {
      replaceContent(this.#samples, element("li", { class: "muted" }, error.message));
    }
  }

  #inputCard() {
    return element(
      "section",
      { class: "card stack-tight" },
      element(
        "div",
        { class: "field" },
        element("div", { class: "row spread" }, element("label", { for: "logs" }, "Logs"), this.#size),
        this.#text,
      ),
      this.#file.root,
      element("div", { class: "row" }, this.#button, this.#progress),
      this.#trouble,
    );
  }

  #sideCards() {
    return element(
      "div",
      { class: "stack" },
      card("Try an example", this.#samples),
      hasLogSource() ? this.#fetch.root : this.#fetchOff,
    );
  }

  #sampleItem({ name, title, description }) {
    return element(
      "li",
      {},
      element("button", { type: "button", class: "button sample", onclick: () => this.#loadSample(name, title) },
        element("strong", {}, title),
        element("span", { class: "muted small" }, description)),
    );
  }

  /* Nothing can be sent while the text is on its way: it would be the text before. */
  async #loadSample(name, title) {
    this.#button.disabled = true;
    try {
      const text = await sampleText(name);
      this.#button.disabled = false;
      this.#setText(text, `The example “${title}” is in the text field.`);
    } catch (error) {
      this.#button.disabled = false;
      this.#fail(error.message);
    }
  }

  #setText(text, sentence) {
    this.#file.clear();
    this.#text.value = text;
    this.#showSize();
    replaceContent(this.#trouble);
    announce(sentence);
    this.#button.focus();
  }

  #chooseFile(file) {
    this.#text.disabled = file !== null;
    replaceContent(this.#trouble);
    if (file) this.#button.focus();
  }

  /* Counting a long text at every key would make typing slow. */
  #showSizeSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#showSize(), 200);
  }

  #showSize() {
    const text = this.#text.value;
    const lines = text === "" ? 0 : text.replace(/\n$/, "").split("\n").length;
    replaceContent(this.#size, text && `${countOf(lines, "line")}, ${formatBytes(new Blob([text]).size)}`);
  }

  async #start() {
    if (this.#button.disabled) return;
    const body = this.#file.file ?? this.#text.value;
    const trouble = troubleWith(body);
    if (trouble) return this.#fail(trouble);
    this.#setBusy(true);
    try {
      const id = await startWorkflow(body, (sent, total) => (this.#progress.value = total ? sent / total : 0));
      location.hash = `#/workflows/${id}`;
    } catch (error) {
      this.#fail(error.message);
    } finally {
      this.#setBusy(false);
    }
  }

  #setBusy(isBusy) {
    this.#button.disabled = isBusy;
    this.#progress.hidden = !isBusy;
    replaceContent(this.#button, isBusy ? "Sending …" : "Investigate");
    if (isBusy) replaceContent(this.#trouble);
  }

  #fail(sentence) {
    replaceContent(this.#trouble, banner("bad", "Not started", sentence));
  }
}

/* Said here, because a refused upload is cut off while it is sent. */
function troubleWith(body) {
  const limit = largestInputMib();
  const size = typeof body === "string" ? body.length : body.size;
  if (size > limit * 1024 * 1024) return `This is ${formatBytes(size)}; the backend takes at most ${limit} MiB.`;
  const isBlank = typeof body === "string" ? body.trim() === "" : size === 0;
  return isBlank ? "There is nothing to read yet: paste logs, or choose a file that is not empty." : "";
}
