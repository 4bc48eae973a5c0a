/* The four agents in their order: state in words, what each is at, and for how long. */

import { badge } from "./badge.js";
import { element, replaceContent } from "./dom.js";
import { formatSeconds, secondsBetween } from "./format.js";
import { plain, plainWords } from "./plain.js";
import { AnswerTail } from "./tail.js";

const AGENTS = [
  ["MonitoringAgent", "Monitoring", "reads the logs"],
  ["AnalysisAgent", "Analysis", "finds the cause"],
  ["RemediationAgent", "Remediation", "writes the plan"],
  ["KubectlCommandAgent", "Commands", "judges and submits them"],
];
const STATES = {
  waiting: ["Waiting", ""],
  working: ["Working", "info"],
  done: ["Done", "good"],
  failed: ["Failed", "bad"],
  skipped: ["Not needed", ""],
  unreached: ["Not reached", ""],
  stopped: ["Stopped", "warn"],
  unkept: ["Not kept", ""],
};
/* What an ending leaves of those that had not begun, and of the one at work. */
const ENDINGS = {
  completed: ["skipped", "done"],
  failed: ["unreached", "failed"],
  cancelled: ["unreached", "stopped"],
};
const LINES_IN_SIGHT = 4;

export class AgentRail {
  #stops = new Map(AGENTS.map(([agent, title, task]) => [agent, new Stop(title, task)]));
  #ticker = setInterval(() => this.#tick(), 500);

  constructor() {
    const items = [...this.#stops.values()].map((stop) => stop.root);
    this.root = element("ol", { class: "rail", "aria-label": "Agents" }, items);
  }

  /* A sentence for people who cannot see the rail, or "" when nothing changed state. */
  show(event) {
    return this.#stops.get(event.agent_name)?.show(event) ?? "";
  }

  /* isWhole: whether the log still had its beginning. */
  finish(state, timestamp, isWhole) {
    clearInterval(this.#ticker);
    const [rest, atWork] = ENDINGS[state] ?? ENDINGS.failed;
    for (const stop of this.#stops.values()) stop.finish(isWhole ? rest : "unkept", atWork, timestamp);
  }

  close() {
    clearInterval(this.#ticker);
  }

  #tick() {
    for (const stop of this.#stops.values()) stop.tick();
  }
}

class Stop {
  #state = "waiting";
  #startedAt = null;
  #label = element("span", { class: "stop-state" }, badge("Waiting"));
  #elapsed = element("span", { class: "muted small number stop-elapsed" });
  #lines = element("ul", { class: "stop-lines small" });
  /* Changes many times a second: the lines say the rest to those who listen. */
  #tail = element("p", { class: "stop-tail small", "aria-hidden": "true", hidden: true });
  #answer = new AnswerTail();
  #earlier = element("ul", { class: "stop-lines small" });
  #earlierBox = element(
    "details",
    { class: "small", hidden: true },
    element("summary", {}, "Steps"),
    this.#earlier,
  );

  constructor(title, task) {
    this.title = title;
    this.root = element(
      "li",
      { class: "stop stop-waiting" },
      element(
        "div",
        { class: "stop-head" },
        element("h3", {}, title),
        element("span", { class: "row" }, this.#elapsed, this.#label),
      ),
      element("p", { class: "muted small" }, task),
      this.#earlierBox,
      this.#lines,
      this.#tail,
    );
  }

  show(event) {
    if (event.type === "token") return this.#write(event);
    if (event.type !== "status") return "";
    this.#endAttempt();
    if (event.status === "WORKING") return this.#begin(event);
    if (event.status === "COMPLETED") return this.#end("done", event.timestamp);
    if (event.status === "ERROR" && !isSubmissionTrouble(event)) return this.#fail(event);
    return this.#think(event);
  }

  finish(rest, atWork, timestamp) {
    this.#endAttempt();
    if (this.#state === "waiting") this.#move(rest);
    if (this.#state === "working") this.#end(atWork, timestamp);
  }

  tick() {
    if (this.#state === "working") this.#showElapsed(new Date());
  }

  #begin(event) {
    if (this.#state !== "waiting") return this.#think(event);
    this.#startedAt = event.timestamp;
    this.#addLine(event.data);
    return this.#move("working");
  }

  #write(event) {
    const { text, truncated } = parsed(event.data);
    const words = this.#answer.write(text ?? "");
    this.#tail.hidden = words === "" || truncated === true;
    replaceContent(this.#tail, words);
    return "";
  }

  /* What was written belongs to the attempt before: a line follows each. */
  #endAttempt() {
    this.#answer = new AnswerTail();
    this.#tail.hidden = true;
  }

  #think(event) {
    this.#addLine(event.data);
    return "";
  }

  #fail(event) {
    this.#addLine(event.data);
    return this.#end("failed", event.timestamp);
  }

  #end(state, timestamp) {
    if (this.#startedAt) this.#showElapsed(timestamp);
    if (state === "done") this.#foldLines();
    return this.#move(state);
  }

  #foldLines() {
    this.#earlier.append(...this.#lines.children);
    this.#earlierBox.hidden = this.#earlier.children.length === 0;
  }

  #move(state) {
    this.#state = state;
    const [words, tone] = STATES[state];
    replaceContent(this.#label, badge(words, tone));
    this.root.className = `stop stop-${state}`;
    return `${this.title}: ${words}`;
  }

  #addLine(text) {
    if (!text || plainWords(text) === (this.#lines.lastChild ?? this.#earlier.lastChild)?.textContent) return;
    this.#lines.append(element("li", {}, plain(text)));
    if (this.#lines.children.length <= LINES_IN_SIGHT) return;
    this.#earlier.append(this.#lines.firstChild);
    this.#earlierBox.hidden = false;
  }

  #showElapsed(until) {
    replaceContent(this.#elapsed, formatSeconds(secondsBetween(this.#startedAt, until)));
  }
}

/* One proposal that was not taken does not end the agent. */
function isSubmissionTrouble(event) {
  return event.agent_name === "KubectlCommandAgent" && event.data.startsWith("MCP server error");
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
