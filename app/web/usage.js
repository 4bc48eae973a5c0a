/* What the answers of a workflow cost at the model's provider, added up. */

import { countOf, formatCount } from "./format.js";

export class UsageTotal {
  #answers = 0;
  #attempts = 0;
  #read = 0;
  #written = 0;
  #models = new Set();

  add({ model, input_tokens: read, output_tokens: written, attempts }) {
    this.#answers += 1;
    this.#attempts += attempts ?? 1;
    this.#read += read ?? 0;
    this.#written += written ?? 0;
    if (model) this.#models.add(model);
  }

  /* "" when no provider counted anything. */
  toString() {
    if (this.#answers === 0) return "";
    const asked = countOf(this.#attempts, "request");
    const models = [...this.#models].join(", ");
    return `${formatCount(this.#read)} read, ${formatCount(this.#written)} written; ${asked} to ${models}`;
  }
}
