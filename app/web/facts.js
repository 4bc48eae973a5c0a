/* What is known of a workflow beside its results: when, how long, how much, at what cost. */

import { element, replaceContent } from "./dom.js";
import { countOf, formatBytes, formatSeconds, formatTime, secondsBetween } from "./format.js";
import { factList } from "./section.js";
import { UsageTotal } from "./usage.js";

export class WorkflowFacts {
  #record = null;
  #usage = new UsageTotal();
  root = element("div");

  get isOver() {
    return Boolean(this.#record?.finished_at);
  }

  show(record) {
    this.#record = record;
    this.#draw();
  }

  addUsage(usage) {
    this.#usage.add(usage);
    this.#draw();
  }

  /* The events are told once more, costs among them. */
  forgetUsage() {
    this.#usage = new UsageTotal();
  }

  #draw() {
    replaceContent(this.root, this.#record && factList(facts(this.#record, this.#usage)));
  }
}

function facts(record, usage) {
  const input = record.input ?? {};
  const redactions = Object.entries(input.redactions ?? {}).map(([kind, count]) => `${count} × ${kind}`);
  return [
    ["Started", formatTime(record.created_at)],
    ["Took", record.finished_at && formatSeconds(secondsBetween(record.created_at, record.finished_at))],
    ["Input", input.total_lines && `${countOf(input.total_lines, "line")}, ${formatBytes(input.total_bytes)}`],
    ["Secrets hidden", redactions.join(", ")],
    ["Tokens", String(usage)],
    ["Id", element("code", {}, record.workflow_id)],
  ];
}
