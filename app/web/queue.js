/* The place of a workflow that waits for a free one. */

import { element, replaceContent } from "./dom.js";

const SUFFIXES = { one: "st", two: "nd", few: "rd", other: "th" };
const ordinals = new Intl.PluralRules("en", { type: "ordinal" });

export class QueuePlace {
  root = element("p", { class: "banner banner-info", role: "status", hidden: true });

  show(place) {
    if (!Number.isInteger(place) || place < 1) return;
    this.root.hidden = false;
    replaceContent(this.root, `Waiting: ${place}${SUFFIXES[ordinals.select(place)]} in the queue`);
  }

  hide() {
    this.root.hidden = true;
    replaceContent(this.root);
  }
}
