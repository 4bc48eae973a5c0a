/* One workflow, live or replayed: the agents at work, then what they found and propose. */

import { announce } from "./announcer.js";
import { workflow } from "./api.js";
import { stateBadge } from "./badge.js";
import { CancelButton } from "./cancel.js";
import { causesCard } from "./causes.js";
import { element, replaceContent } from "./dom.js";
import { endingOf } from "./ending.js";
import { ExamplesCard } from "./examples.js";
import { WorkflowFacts } from "./facts.js";
import { FeedbackCard } from "./feedback.js";
import { findingsCard } from "./findings.js";
import { countOf } from "./format.js";
import { JumpList } from "./jump.js";
import { planCard } from "./plan.js";
import { QueuePlace } from "./queue.js";
import { AgentRail } from "./rail.js";
import { ReactionsCard } from "./reactions.js";
import { banner, card } from "./section.js";
import { isTerminal, WorkflowStream } from "./stream.js";
import { submissionsCard } from "./submissions.js";

const RESULTS = {
  MonitoringAgent: findingsCard,
  AnalysisAgent: causesCard,
  RemediationAgent: planCard,
  KubectlCommandAgent: submissionsCard,
};
const REACTIONS = new Set(["decision", "execution", "outcome"]);
const ORCHESTRATOR = "OrchestratorAgent";

export class WorkflowView {
  title = "Workflow";
  #heading = element("h1", { tabindex: "-1" }, "Workflow");
  #state = element("span");
  #facts = new WorkflowFacts();
  #place = new QueuePlace();
  #notice = element("p", { class: "banner banner-warn", hidden: true, role: "status" });
  #outcome = element("div", { class: "stack-tight", role: "status" });
  #connection = element("p", { class: "banner banner-warn", hidden: true, role: "status" });
  #side = element("aside", { class: "side", "aria-label": "Agents" });
  #results = element("div", { class: "stack results" });
  #jump = new JumpList();
  #cancel;
  #feedback;
  #stream;
  #rail;
  #slots;
  #isWhole = true;
  #isClosed = false;

  constructor(workflowId) {
    this.workflowId = workflowId;
    this.#cancel = new CancelButton(workflowId, () => this.#heading.focus());
    this.#feedback = new FeedbackCard(workflowId);
    this.#stream = new WorkflowStream(workflowId, {
      event: (event) => this.#show(event),
      connection: (sentence) => this.#showConnection(sentence),
      gone: (sentence) => this.#showEnd("bad", "This workflow cannot be shown", sentence),
      reset: (reset) => this.#beginAnew(reset),
    });
    this.root = element(
      "div",
      { class: "stack" },
      element(
        "div",
        { class: "row spread" },
        this.#heading,
        element("div", { class: "row" }, this.#state, this.#cancel.root),
      ),
      this.#facts.root,
      this.#connection,
      this.#notice,
      this.#place.root,
      this.#outcome,
      this.#jump.root,
      element("div", { class: "columns" }, this.#side, this.#results),
    );
    this.#clear();
  }

  async open() {
    try {
      const record = await workflow(this.workflowId);
      if (this.#isClosed) return;
      this.#showRecord(record);
    } catch (error) {
      replaceContent(this.#side);
      replaceContent(this.#state);
      this.#showEnd("bad", "This workflow cannot be shown", error.message);
      return;
    }
    this.#stream.open();
  }

  close() {
    this.#isClosed = true;
    this.#stream.close();
    this.#rail.close();
    this.#feedback.close();
  }

  #clear() {
    this.#rail?.close();
    this.#rail = new AgentRail();
    this.#facts.forgetUsage();
    this.#place.hide();
    this.#slots = { examples: new ExamplesCard(), reactions: new ReactionsCard() };
    for (const agent of Object.keys(RESULTS)) this.#slots[agent] = element("div", { hidden: true });
    replaceContent(this.#side, this.#rail.root);
    replaceContent(this.#outcome);
    const { MonitoringAgent, AnalysisAgent, RemediationAgent, KubectlCommandAgent } = this.#slots;
    const { examples, reactions } = this.#slots;
    replaceContent(
      this.#results,
      [MonitoringAgent, AnalysisAgent, examples.root, RemediationAgent, KubectlCommandAgent],
      [reactions.root, this.#feedback.root],
    );
  }

  #beginAnew({ reason, first_seq: first }) {
    this.#clear();
    this.#isWhole = !(first > 1);
    this.#notice.hidden = false;
    const cause = reason ? ` (${reason})` : "";
    replaceContent(
      this.#notice,
      this.#isWhole
        ? `The server's log of this workflow has changed${cause}. It is shown again from its start.`
        : `The first ${countOf(first - 1, "event")} of this workflow are no longer kept${cause}.`,
    );
  }

  #show(event) {
    announce(this.#rail.show(event));
    if (event.agent_name !== ORCHESTRATOR && event.status === "WORKING") this.#setRunning();
    if (event.type === "progress") this.#showProgress(parsed(event.data) ?? {});
    else if (event.type === "usage") this.#facts.addUsage(parsed(event.data) ?? {});
    else if (event.type === "example_used") this.#slots.examples.add(parsed(event.data) ?? {});
    else if (event.type === "status") this.#showStatus(event);
    else if (event.type === "proposal") this.#showFeedback();
    else if (REACTIONS.has(event.type)) this.#showReaction(event);
  }

  #showProgress(fact) {
    this.#place.show(fact.queue_position);
    if (fact.is_held_out) this.#slots.examples.explainHoldout(fact.sentence);
  }

  #showReaction(event) {
    announce(this.#slots.reactions[event.type](parsed(event.data) ?? {}));
    this.#showFeedback();
  }

  #showStatus(event) {
    if (isTerminal(event)) this.#finish(event);
    else if (event.status === "COMPLETED") this.#showResult(event);
    else if (event.status === "ERROR") this.#showTrouble(event);
  }

  #setRunning() {
    this.#place.hide();
    if (!this.#facts.isOver) replaceContent(this.#state, stateBadge("running"));
  }

  #showResult(event) {
    const answer = parsed(event.data);
    const slot = this.#slots[event.agent_name];
    if (!slot) return;
    slot.hidden = false;
    replaceContent(slot, answer ? RESULTS[event.agent_name](answer) : plainCard(event));
    this.#jump.show([...this.#results.children]);
    if (event.agent_name === "KubectlCommandAgent") this.#showFeedback();
  }

  #showTrouble(event) {
    this.#outcome.append(banner("bad", `${event.agent_name}: ${event.data}`));
  }

  #finish(event) {
    const { state, title, tone, sentence } = endingOf(event);
    this.#place.hide();
    this.#cancel.hide();
    this.#rail.finish(state, event.timestamp, this.#isWhole);
    replaceContent(this.#state, stateBadge(state));
    const hasTrouble = state === "completed" && this.#outcome.hasChildNodes();
    if (hasTrouble) this.#outcome.prepend(banner(tone, title, sentence));
    else this.#showEnd(tone, title, sentence);
    this.#showFeedback();
    this.#refreshRecord();
  }

  async #showFeedback() {
    await this.#feedback.refresh();
    this.#jump.show([...this.#results.children]);
  }

  #showEnd(tone, title, sentence) {
    replaceContent(this.#outcome, banner(tone, title, sentence));
  }

  #showConnection(sentence) {
    this.#connection.hidden = !sentence;
    replaceContent(this.#connection, sentence);
  }

  /* The record adds what the stream does not say: the duration. */
  async #refreshRecord() {
    try {
      const record = await workflow(this.workflowId);
      if (!this.#isClosed) this.#showRecord(record);
    } catch (error) {
      this.#showConnection(error.message);
    }
  }

  #showRecord(record) {
    this.title = record.title || "Workflow";
    document.title = `${this.title} – Incident Agents`;
    replaceContent(this.#heading, this.title);
    replaceContent(this.#state, stateBadge(record.state));
    this.#facts.show(record);
    if (this.#facts.isOver) this.#cancel.hide();
    else this.#cancel.show();
  }
}

function plainCard(event) {
  return card(event.agent_name, element("pre", { class: "quote" }, event.data));
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
