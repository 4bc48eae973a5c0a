/* Earlier workflows, newest first, a page at a time. */

import { workflowPage } from "./api.js";
import { stateBadge } from "./badge.js";
import { element, replaceContent } from "./dom.js";
import { formatSeconds, formatTime, secondsBetween } from "./format.js";
import { banner } from "./section.js";
import { dataTable, tableRow } from "./table.js";

const COLUMNS = [
  { label: "State" },
  { label: "What" },
  { label: "Outcome" },
  { label: "Started" },
  { label: "Took", number: true },
];

export class HistoryView {
  title = "History";
  #list = element("div");
  #trouble = element("div");
  #body = null;
  #next = null;
  #more = element(
    "button",
    { type: "button", class: "button", hidden: true, onclick: () => this.#load() },
    "Show older workflows",
  );
  root = element(
    "div",
    { class: "stack" },
    element("h1", { tabindex: "-1" }, "History"),
    this.#trouble,
    this.#list,
    element("div", {}, this.#more),
  );

  async open() {
    await this.#load();
  }

  async #load() {
    this.#more.disabled = true;
    try {
      const page = await workflowPage(this.#next);
      this.#append(page.workflows ?? []);
      this.#next = page.next;
      this.#more.hidden = !page.next;
      replaceContent(this.#trouble);
    } catch (error) {
      replaceContent(this.#trouble, banner("bad", "The history cannot be read", error.message));
    } finally {
      this.#more.disabled = false;
    }
  }

  #append(records) {
    if (this.#body) {
      this.#body.append(...records.map((record) => tableRow(COLUMNS, cells(record))));
    } else if (records.length > 0) {
      const table = dataTable("Workflows, newest first", COLUMNS, records.map(cells));
      replaceContent(this.#list, table);
      this.#body = table.querySelector("tbody");
    } else {
      replaceContent(this.#list, element("p", { class: "muted" }, "No workflow yet. ", startLink()));
    }
  }
}

function startLink() {
  return element("a", { href: "#/" }, "Start one");
}

function cells(record) {
  const { workflow_id: id, created_at: created, finished_at: finished } = record;
  return [
    stateBadge(record.state),
    element("a", { href: `#/workflows/${encodeURIComponent(id)}` }, record.title || id),
    record.outcome || "–",
    formatTime(created),
    finished ? formatSeconds(secondsBetween(created, finished)) : "–",
  ];
}
