/* What people made of the plans: the decision from the approval page, and a rating from here. */

import { submitFeedback, workflowFeedback } from "./api.js";
import { approvalAddress } from "./backend.js";
import { decisionBadge } from "./badge.js";
import { element, replaceContent } from "./dom.js";
import { formatTime } from "./format.js";
import { RatingForm } from "./rating.js";

const CHECK_EVERY = 4000;

export class FeedbackCard {
  #entries = new Map();
  #list = element("div", { class: "stack" });
  #trouble = element("p", { class: "banner banner-bad", hidden: true });
  #timer = null;
  #isClosed = false;
  root = element(
    "section",
    { class: "card stack-tight", hidden: true },
    element("h2", {}, "Decision and rating"),
    element("p", { class: "muted" }, "Decisions and ratings shape the next plan for an incident like this one."),
    this.#trouble,
    this.#list,
  );

  constructor(workflowId) {
    this.workflowId = workflowId;
    this.wake = () => document.hidden || this.refresh();
    document.addEventListener("visibilitychange", this.wake);
  }

  async refresh() {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    try {
      this.#show((await workflowFeedback(this.workflowId)).feedback_opportunities ?? []);
      this.#trouble.hidden = true;
    } catch (error) {
      this.#trouble.hidden = false;
      replaceContent(this.#trouble, error.message);
    }
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.wake);
  }

  #show(opportunities) {
    if (this.#isClosed) return;
    this.root.hidden = opportunities.length === 0;
    for (const opportunity of opportunities) this.#entry(opportunity).show(opportunity);
    const isUndecided = opportunities.some(({ approval_status: status }) => !isDecided(status));
    if (isUndecided) this.#timer = setTimeout(this.wake, CHECK_EVERY);
  }

  #entry(opportunity) {
    const known = this.#entries.get(opportunity.feedback_id);
    if (known) return known;
    const entry = new Entry(opportunity, this.#entries.size + 1);
    this.#entries.set(opportunity.feedback_id, entry);
    this.#list.append(entry.root);
    return entry;
  }
}

class Entry {
  #decision = element("div", { class: "row", role: "status" });
  #status = undefined;

  constructor(opportunity, number) {
    const form = new RatingForm(opportunity.feedback_id, submitFeedback);
    this.root = element(
      "article",
      { class: "block stack-tight" },
      element(
        "h3",
        {},
        opportunity.issue ? `Plan ${number}: ${opportunity.issue} ` : `Plan ${number} `,
        element("span", { class: "muted small" }, formatTime(opportunity.timestamp)),
      ),
      this.#decision,
      opportunity.has_ui_feedback && element("p", { class: "muted small" }, "Rated before; a new rating replaces it."),
      form.root,
    );
  }

  /* Redrawn only when it changed, so that nothing is read out twice. */
  show({ approval_status: status, approval_id: approvalId }) {
    if (status === this.#status) return;
    this.#status = status;
    const address = approvalAddress(approvalId ?? "");
    replaceContent(
      this.#decision,
      decisionBadge(status),
      approvalId && element("code", { class: "muted" }, approvalId),
      !isDecided(status) && approvalId && address && element("a", { href: address }, "Decide on the approval page"),
    );
  }
}

function isDecided(status) {
  return ["approved", "rejected", "expired", "declined"].includes(status);
}
