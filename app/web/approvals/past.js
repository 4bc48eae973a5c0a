/* What was decided, newest first, of one kind or all. */

import { replaceContent, element } from "./dom.js";
import { DecidedEntry } from "./decided.js";
import { approvalAddress, ask, listed } from "./server.js";

const FIRST = 10;
const MORE = 30;

export class PastList {
  #entries = new Map();
  #order = null;
  #count = FIRST;
  #status = "decided";
  #list;
  #older;
  #reviewer;
  #hasChanged;

  constructor({ list, older, reviewer, hasChanged }) {
    this.#list = list;
    this.#older = older;
    this.#reviewer = reviewer;
    this.#hasChanged = hasChanged;
  }

  get isMoving() {
    return [...this.#entries.values()].some((entry) => entry.isMoving);
  }

  showMore() {
    this.#count += MORE;
  }

  filter(status) {
    this.#status = status;
    this.#count = FIRST;
  }

  /* `linked`: the request that the page's address names, however old it is. */
  async refresh(linked) {
    const status = this.#status;
    const { approvals, next } = await listed(`/api/approvals?status=${status}&`, "before", this.#count);
    if (status !== this.#status) return;
    const isExtra = linked && linked.status !== "pending" && !approvals.some(({ id }) => id === linked.id);
    const all = isExtra ? [linked, ...approvals] : approvals;
    const known = new Map(all.map((approval) => [approval.id, this.#entry(approval)]));
    const order = [...known.keys()].join();
    if (order !== this.#order) this.#place(known);
    this.#order = order;
    this.#entries = known;
    this.#older.hidden = !next;
  }

  reveal(id) {
    const entry = this.#entries.get(id);
    if (entry) entry.root.open = true;
    return entry?.root;
  }

  #entry(approval) {
    const known = this.#entries.get(approval.id);
    known?.update(approval);
    return known ?? new DecidedEntry(approval, (id, body) => this.#undo(id, body));
  }

  #place(entries) {
    const focused = document.activeElement;
    const nothing = element("p", { class: "muted" }, "Nothing of this kind yet.");
    replaceContent(this.#list, entries.size ? [...entries.values()].map(({ root }) => root) : nothing);
    if (this.#list.contains(focused)) focused.focus({ preventScroll: true });
  }

  async #undo(id, body) {
    await ask(approvalAddress(id, "undo"), { reviewer: this.#reviewer(), ...body });
    await this.#hasChanged();
  }
}
