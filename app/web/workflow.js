/* One workflow, live or replayed: the agents at work, then what they found and propose. */

import { announce } from "./announcer.js";
import { workflow } from "./api.js";
import { stateBadge } from "./badge.js";
import { causesCard } from "./causes.js";
import { element, replaceContent } from "./dom.js";
import { ExamplesCard } from "./examples.js";
import { FeedbackCard } from "./feedback.js";
import { findingsCard } from "./findings.js";
import { countOf, formatBytes, formatSeconds, formatTime, secondsBetween } from "./format.js";
import { JumpList } from "./jump.js";
import { planCard } from "./plan.js";
import { AgentRail } from "./rail.js";
import { banner, card, factList } from "./section.js";
import { isTerminal, WorkflowStream } from "./stream.js";
import { submissionsCard } from "./submissions.js";

const RESULTS = {
  MonitoringAgent: findingsCard,
  AnalysisAgent: causesCard,
  RemediationAgent: planCard,
  KubectlCommandAgent: submissionsCard,
};
const HEALTHY = "No errors or warnings found";

export class WorkflowView {
  title = "Workflow";
  #heading = element("h1", { tabindex: "-1" }, "Workflow");
  #state = element("span", {}, stateBadge("running"));
  #facts = element("div");
  #outcome = element("div", { class: "stack-tight", role: "status" });
  #connection = element("p", { class: "banner banner-warn", hidden: true, role: "status" });
  #side = element("aside", { class: "side", "aria-label": "Agents" });
  #results = element("div", { class: "stack results" });
  #jump = new JumpList();
  #feedback;
  #stream;
  #rail;
  #slots;
  #isClosed = false;

  constructor(workflowId) {
    this.workflowId = workflowId;
    this.#feedback = new FeedbackCard(workflowId);
    this.#stream = new WorkflowStream(workflowId, {
      event: (event) => this.#show(event),
      connection: (sentence) => this.#showConnection(sentence),
      gone: (sentence) => this.#showEnd("bad", "This workflow cannot be shown", sentence),
      reset: () => this.#clear(),
    });
    this.root = element(
      "div",
      { class: "stack" },
      element("div", { class: "row spread" }, this.#heading, this.#state),
      this.#facts,
      this.#connection,
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
    this.#slots = { examples: new ExamplesCard() };
    for (const agent of Object.keys(RESULTS)) this.#slots[agent] = element("div", { hidden: true });
    replaceContent(this.#side, this.#rail.root);
    replaceContent(this.#outcome);
    const { MonitoringAgent, AnalysisAgent, RemediationAgent, KubectlCommandAgent, examples } = this.#slots;
    replaceContent(
      this.#results,
      [MonitoringAgent, AnalysisAgent, examples.root, RemediationAgent, KubectlCommandAgent, this.#feedback.root],
    );
  }

  #show(event) {
    if (event.seq === 1) replaceContent(this.#state, stateBadge("running"));
    announce(this.#rail.show(event));
    if (event.type === "example_used") this.#slots.examples.add(parsed(event.data) ?? {});
    else if (isTerminal(event)) this.#finish(event);
    else if (event.status === "COMPLETED") this.#showResult(event);
    else if (event.status === "ERROR") this.#showTrouble(event);
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
    this.#rail.finish(event);
    const isFailure = event.status === "ERROR";
    replaceContent(this.#state, stateBadge(isFailure ? "failed" : "completed"));
    if (isFailure) this.#showEnd("bad", "This workflow failed", event.data);
    else if (event.data.startsWith(HEALTHY)) this.#showEnd("good", "Healthy", event.data);
    else if (event.data.startsWith("Could not")) this.#showEnd("warn", "Not solved", event.data);
    else this.#outcome.prepend(banner("info", "Investigated", event.data));
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

  /* The record adds what the stream does not say: the duration. It ends just after the last event. */
  async #refreshRecord(triesLeft = 5) {
    if (this.#isClosed || triesLeft === 0) return;
    try {
      const record = await workflow(this.workflowId);
      if (record.finished_at) this.#showRecord(record);
      else setTimeout(() => this.#refreshRecord(triesLeft - 1), 300);
    } catch (error) {
      this.#showConnection(error.message);
    }
  }

  #showRecord(record) {
    this.title = record.title || "Workflow";
    document.title = `${this.title} – Incident Agents`;
    replaceContent(this.#heading, this.title);
    replaceContent(this.#state, stateBadge(record.state));
    replaceContent(this.#facts, recordFacts(record));
  }
}

function recordFacts(record) {
  const input = record.input ?? {};
  const redactions = Object.entries(input.redactions ?? {}).map(([kind, count]) => `${count} × ${kind}`);
  return factList([
    ["Started", formatTime(record.created_at)],
    ["Took", record.finished_at && formatSeconds(secondsBetween(record.created_at, record.finished_at))],
    ["Input", input.total_lines && `${countOf(input.total_lines, "line")}, ${formatBytes(input.total_bytes)}`],
    ["Secrets hidden", redactions.join(", ")],
    ["Id", element("code", {}, record.workflow_id)],
  ]);
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
