/* What a reader must know of the server before deciding anything. */

import { element, replaceContent } from "./dom.js";
import { plain } from "./plain.js";
import { backendAddress, config, learnConfig, readiness } from "./server.js";

const EVERY_MS = 15_000;
const NO_CLUSTER = "No cluster is configured: approving records the decision and runs nothing.";
const MODES = {
  suggest: "COMMAND_MODE=suggest: approving records the decision and runs nothing.",
  "read-only": "COMMAND_MODE=read-only: of what is approved, only commands that just read are run.",
};

export class ServerState {
  #place;
  #backend;
  #asked = -Infinity;
  #drawn = "";

  constructor(place, backend) {
    this.#place = place;
    this.#backend = backend;
  }

  async refresh() {
    if (performance.now() - this.#asked < EVERY_MS) return;
    await learnConfig();
    const { checks = {} } = await readiness();
    this.#asked = performance.now();
    this.#draw(sentences(checks));
    const address = backendAddress("/ui/");
    this.#backend.hidden = !address;
    if (address) this.#backend.href = address;
  }

  #draw(told) {
    const words = JSON.stringify(told);
    if (words === this.#drawn) return;
    this.#drawn = words;
    replaceContent(
      this.#place,
      told.map(([tone, sentence]) => element("p", { class: `banner banner-${tone}` }, plain(sentence))),
    );
  }
}

function sentences(checks) {
  const troubles = Object.entries(checks).filter(([name, state]) => state !== "ok" && (name !== "cluster" || config.has_cluster) && state !== config.kubectl);
  return [
    config.kubectl && ["warn", config.kubectl],
    !config.has_cluster && !config.kubectl && ["info", NO_CLUSTER],
    config.has_cluster && Object.hasOwn(MODES, config.mode) && ["info", MODES[config.mode]],
    ...troubles.map(([name, state]) => ["warn", `Trouble with ${name}: ${state}`]),
  ].filter(Boolean);
}
