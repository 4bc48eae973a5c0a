/* A request that waits: what it would do, what is said to each command, and the two decisions. */

import { decisionBadge, priorityBadge, severityBadge } from "./badge.js";
import { element, replaceContent } from "./dom.js";
import { giveBackFocus, mayFocus } from "./focus.js";
import { formatTime } from "./format.js";
import { workflowLink } from "./judged.js";
import { approvePanel, enableLater, rejectPanel } from "./panel.js";
import { plain, plainWords } from "./plain.js";
import { ProposedCommand } from "./proposed.js";
import { approvalAddress, ask, config } from "./server.js";
import { distance, expiry } from "./when.js";

export class RequestCard {
  #approval;
  #commands;
  #decide;
  #putAway;
  #when = element("p", { class: "small muted" });
  #notice = element("div", { role: "alert" });
  #panel = element("div", { class: "panel", hidden: true });
  #reason = element("textarea", { rows: "2", required: true, maxlength: "4000" });
  #approve = element("button", { type: "button", class: "button button-primary", onclick: () => this.#openApproval() }, "Approve selected");
  #reject = element("button", { type: "button", class: "button button-danger", onclick: () => this.#openRejection() }, "Reject all");
  #look = element("button", { type: "button", class: "button", onclick: () => this.#lookAgain() }, "Look at the cluster again");
  isOver = false;
  isTouched = false;
  isDeciding = false;

  /* `decide(card, verb, body)` rejects with a Refusal when it did not work. */
  constructor(approval, decide, putAway) {
    const { id, action, commands, metadata } = approval;
    this.#approval = approval;
    this.#decide = decide;
    this.#putAway = putAway;
    this.#commands = commands.map((command) => new ProposedCommand(command, metadata, id));
    this.#look.hidden = !config.has_cluster;
    this.root = element(
      "article",
      {
        class: "card request stack",
        id,
        tabindex: "-1",
        "aria-label": plainWords(action || "No title"),
        onkeydown: (event) => event.key === "Escape" && this.#closePanel(),
        oninput: () => (this.isTouched = true),
      },
      element("div", {}, element("h3", {}, plain(action || "No title")), this.#when),
      this.#notice,
      facts(metadata),
      metadata.root_cause && element("p", { class: "quote" }, plain(metadata.root_cause)),
      element("ol", { class: "proposed stack-tight" }, this.#commands.map(({ root }) => root)),
      element("div", { class: "row" }, this.#approve, this.#reject, this.#look, workflowLink(metadata)),
      this.#panel,
    );
    enableLater(this.#approve);
    if (approval.void_reason) this.#tell("warn", `Asked again, round ${approval.round}: ${approval.void_reason}`);
    this.update(approval);
  }

  get round() {
    return this.#approval.round;
  }

  get isInUse() {
    return this.isTouched || this.root.contains(document.activeElement);
  }

  update(approval) {
    const isOther = approval.version !== this.#approval.version;
    const wasLooking = this.#approval.commands.some(({ proof }) => !proof);
    this.#approval = approval;
    this.#commands.forEach((command, place) => command.update(approval.commands[place]));
    replaceContent(this.#when, `Proposed ${distance(approval.timestamp)} (${formatTime(approval.timestamp)}), ${expiry(approval.expires_at)}`);
    if (!isOther) return;
    enableLater(this.#approve);
    if (approval.void_reason) this.#tell("warn", `Asked again, round ${approval.round}: ${approval.void_reason}`);
    else if (!wasLooking) this.#tell("warn", "The cluster has changed since this was drawn. What you see is new: look again.");
    if (!this.#panel.hidden) this.#closePanel();
  }

  /* Somebody else was first, or nobody was in time. */
  end({ status, reviewer, decided_at: at, reason }) {
    this.isOver = true;
    const isHere = mayFocus(this.root);
    const away = element("button", { type: "button", class: "button", onclick: () => this.#putAway(this) }, "Put away");
    const [what, sentence] =
      status === "expired"
        ? ["This request has expired.", `Its time was over ${formatTime(at)}, and nothing of it runs. Have it proposed again if it is still needed.`]
        : ["This was decided meanwhile.", `${reviewer || "Somebody"} ${status} it, ${formatTime(at)}.`];
    replaceContent(
      this.root,
      element("h3", {}, plain(this.#approval.action || "No title")),
      element(
        "div",
        { class: "banner banner-warn stack-tight", role: "alert" },
        element("p", {}, element("strong", {}, what), " ", decisionBadge(status)),
        element("p", {}, plain(sentence)),
        reason && element("p", {}, plain(`Reason: ${reason}`)),
      ),
      element("div", {}, away),
    );
    if (isHere) this.root.focus();
  }

  select() {
    this.root.focus();
    this.root.scrollIntoView({ block: "nearest" });
  }

  press(what) {
    if (this.isOver) return;
    if (what === "approve") this.#approve.click();
    else if (what === "reject") this.#reject.click();
    else this.#inFocus()?.choice.edit();
  }

  #inFocus() {
    const own = this.#commands.filter(({ choice }) => choice);
    return own.find(({ root }) => root.contains(document.activeElement)) ?? own[0];
  }

  #openApproval() {
    if (!this.#commands.every(({ choice }) => choice?.check() ?? true)) return;
    if (this.#commands.some(({ choice }) => choice?.runs)) {
      this.#open(approvePanel(this.#commands, this.#reason, (reason) => this.#approveChosen(reason), () => this.#closePanel()));
    } else {
      this.#reason.value ||= this.#ownReasons();
      this.#openRejection();
    }
  }

  #openRejection() {
    this.#open(rejectPanel(this.#commands, this.#reason, (reason) => this.#send("reject", { reason }), () => this.#closePanel()));
  }

  #ownReasons() {
    const reasons = this.#commands.map(({ choice }) => choice?.reason).filter(Boolean);
    return [...new Set(reasons)].join("; ").slice(0, this.#reason.maxLength);
  }

  #open(form) {
    replaceContent(this.#panel, form);
    this.#panel.hidden = false;
    this.#panel.querySelector("textarea, input, button:not(:disabled)").focus();
    this.#panel.scrollIntoView({ block: "nearest" });
  }

  #closePanel() {
    const isHere = mayFocus(this.root);
    this.#panel.hidden = true;
    if (isHere) this.select();
  }

  #approveChosen(reason) {
    const chosen = this.#commands.filter(({ choice }) => choice);
    const sent = this.#send("approve", {
      commands: chosen.map(({ choice }) => choice.toBody(reason)),
      confirm: chosen.flatMap(({ choice }) => choice.confirmed),
    });
    return sent.catch((error) => {
      const place = misplaced(error);
      if (place === null) throw error;
      this.#closePanel();
      if (error.answer.detail[0].type === "not_in_evidence") chosen[place].choice.askToConfirm();
      else chosen[place].choice.refuse(error.message);
    });
  }

  async #send(verb, body) {
    try {
      await this.#decide(this, verb, { ...body, seen: this.#approval.version });
    } catch (error) {
      if (error.status === 404 && error.answer.status) this.end(error.answer);
      else if (error.status === 409 && error.answer.version) await this.#redraw(error);
      else throw error;
    }
  }

  async #redraw(error) {
    this.update(await ask(approvalAddress(this.#approval.id)));
    this.#tell("warn", error.message);
    this.#closePanel();
  }

  async #lookAgain() {
    this.#look.disabled = true;
    try {
      this.update(await ask(approvalAddress(this.#approval.id, "refresh"), {}));
    } catch (error) {
      this.#tell("bad", error.message);
    }
    this.#look.disabled = false;
    giveBackFocus(this.#look);
  }

  #tell(tone, sentence) {
    replaceContent(this.#notice, element("p", { class: `banner banner-${tone}` }, plain(sentence)));
  }
}

function facts(metadata) {
  const named = [
    ["Service", metadata.service],
    ["Namespace", metadata.namespace],
    ["Issue", metadata.issue],
  ];
  return element(
    "div",
    { class: "row" },
    metadata.severity && severityBadge(plainWords(metadata.severity)),
    metadata.priority && priorityBadge(plainWords(metadata.priority)),
    named.filter(([, value]) => value).map(([name, value]) => element("span", {}, element("span", { class: "muted" }, `${name}: `), plain(value))),
  );
}

/* Which of the decisions sent the server does not take; null when it is about something else. */
function misplaced({ status, answer }) {
  const place = status === 422 && Array.isArray(answer.detail) && answer.detail[0]?.loc;
  return place && place[1] === "commands" && Number.isInteger(place[2]) ? place[2] : null;
}
