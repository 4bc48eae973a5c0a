/* What waits for a decision: as many as are shown, and a way to more. */

import { announce } from "./announcer.js";
import { replaceContent } from "./dom.js";
import { countOf, formatCount } from "./format.js";
import { RequestCard } from "./request.js";
import { approvalAddress, ask, listed } from "./server.js";

const PAGE = 10;

export class PendingList {
  #cards = new Map();
  #count = PAGE;
  #list;
  #more;
  #reviewer;
  #decisions = 0;
  #hasDecided;

  /* `hasDecided(id)` lets the page look again at once. */
  constructor({ list, more, reviewer, hasDecided }) {
    this.#list = list;
    this.#more = more;
    this.#reviewer = reviewer;
    this.#hasDecided = hasDecided;
  }

  get shown() {
    return [...this.#list.children].map(({ id }) => this.#cards.get(id));
  }

  showMore() {
    this.#count += PAGE;
  }

  /* `linked`: the request that the page's address names, wherever it stands in the list. */
  async refresh(linked) {
    const decisions = this.#decisions;
    const { approvals, next, total } = await listed("/api/approvals/pending?", "after", this.#count);
    if (decisions !== this.#decisions) return total;
    const isLinkedShown = approvals.some(({ id }) => id === linked?.id);
    const all = linked?.status === "pending" && !isLinkedShown ? [linked, ...approvals] : approvals;
    await this.#dropGone(new Set(all.map(({ id }) => id)));
    this.#draw(all);
    this.#more.hidden = !next;
    replaceContent(this.#more, `Show more (${formatCount(total - approvals.length)} further)`);
    return total;
  }

  cardOf(node) {
    return this.shown.find(({ root }) => root.contains(node));
  }

  card(id) {
    return this.#cards.get(id);
  }

  /* Cards that stay are only brought up to date, so that nobody loses the focus or a half-written reason. */
  #draw(approvals) {
    let following = null;
    let fresh = 0;
    for (const approval of [...approvals].reverse()) {
      const known = this.#cards.get(approval.id);
      const isKnown = known && !(known.isOver && known.round < approval.round);
      if (isKnown && !known.isOver) known.update(approval);
      const card = isKnown ? known : this.#add(approval, following);
      if (!isKnown) fresh += 1;
      following = card.root;
    }
    if (fresh) announce(`${countOf(fresh, "new request")}.`);
  }

  /* What was decided and is asked again takes the place of what was told about it. */
  #add(approval, following) {
    const former = this.#cards.get(approval.id);
    const hadFocus = former?.root.contains(document.activeElement);
    const card = new RequestCard(approval, (...decision) => this.#decide(...decision), (over) => this.#putAway(over));
    former?.root.remove();
    this.#cards.set(approval.id, card);
    this.#list.insertBefore(card.root, following);
    if (hadFocus) card.select();
    return card;
  }

  async #dropGone(ids) {
    for (const [id, card] of this.#cards) {
      if (ids.has(id) || card.isOver) continue;
      if (card.isInUse) await this.#tellFate(id, card);
      else this.#drop(card);
    }
  }

  async #tellFate(id, card) {
    const approval = await ask(approvalAddress(id));
    if (approval.status === "pending") card.update(approval);
    else if (!card.isDeciding) card.end(approval);
  }

  async #decide(card, verb, body) {
    card.isDeciding = true;
    try {
      await ask(approvalAddress(card.root.id, verb), { ...body, reviewer: this.#reviewer() });
    } finally {
      card.isDeciding = false;
    }
    this.#decisions += 1;
    announce(verb === "approve" ? "Decided." : "Rejected.");
    this.#putAway(card);
    await this.#hasDecided(card.root.id);
  }

  #putAway(card) {
    const neighbour = card.root.nextElementSibling ?? card.root.previousElementSibling;
    this.#drop(card);
    (neighbour ?? this.#list.closest("section")).focus();
  }

  #drop(card) {
    this.#cards.delete(card.root.id);
    card.root.remove();
  }
}
