/* One workflow's events, each once and in order, until what it led to is known, over one connection.

   EventSource reconnects by itself after a plain close, but any answer other than 200 closes it for
   good; then a new one is opened from the last position, after a growing and jittered pause. */

import { streamAddress, workflow } from "./api.js";

/* All that there are: the last position counts, whichever event it belongs to. */
const NAMED = ["token", "progress", "usage", "example_used", "proposal", "decision", "execution", "outcome"];
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;

export class WorkflowStream {
  #source = null;
  #timer = null;
  #lastSeq = 0;
  #lastId = "";
  #pause = FIRST_PAUSE;
  #isOver = false;

  /* listener: {event(event), connection(sentence or ""), gone(sentence), reset({reason, first_seq})} */
  constructor(workflowId, listener) {
    this.workflowId = workflowId;
    this.listener = listener;
  }

  open() {
    this.#source?.close();
    const source = new EventSource(streamAddress(this.workflowId, this.#lastId));
    this.#source = source;
    source.addEventListener("open", () => this.#connected());
    source.addEventListener("message", (message) => this.#receive(message));
    for (const name of NAMED) source.addEventListener(name, (message) => this.#receive(message));
    source.addEventListener("reset", (message) => this.#restart(message));
    source.addEventListener("error", () => this.#lost(source));
  }

  close() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  #connected() {
    this.#pause = FIRST_PAUSE;
    this.listener.connection("");
  }

  #receive(message) {
    const event = parsed(message.data);
    if (!Number.isInteger(event?.seq) || event.seq <= this.#lastSeq) return;
    this.#lastSeq = event.seq;
    this.#lastId = message.lastEventId || String(event.id ?? "");
    this.#isOver ||= isLast(event); // an undo may follow in the same answer
    this.listener.event(event);
  }

  #restart(message) {
    this.#lastSeq = 0;
    this.#lastId = "";
    this.listener.reset(parsed(message.data) ?? {});
  }

  #lost(source) {
    if (source !== this.#source) return;
    if (this.#isOver) return source.close();
    this.listener.connection("The connection was lost. Connecting again …");
    if (source.readyState === EventSource.CLOSED) this.#reopenLater();
  }

  #reopenLater() {
    const pause = this.#pause * (0.5 + Math.random());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    this.#timer = setTimeout(() => this.#reopen(), pause);
  }

  async #reopen() {
    try {
      await workflow(this.workflowId);
    } catch (error) {
      if (this.#isOver) return;
      if (error.status === 400 || error.status === 404) this.#giveUp(error.message);
      else this.#reopenLater();
      return;
    }
    if (!this.#isOver) this.open();
  }

  #giveUp(sentence) {
    this.close();
    this.listener.gone(sentence);
  }
}

/* Without proposals there is nothing to decide, and nothing follows the agents' end. */
function isLast(event) {
  return event.type === "outcome" || (isTerminal(event) && !event.outcome?.proposals?.length);
}

export function isTerminal(event) {
  return event.agent_name === "OrchestratorAgent" && ["COMPLETED", "ERROR"].includes(event.status);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
