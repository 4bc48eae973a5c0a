/* Ways to the parts of a long result. The address's hash names the view, so these move the focus. */

import { element, replaceContent } from "./dom.js";

export class JumpList {
  #list = element("ul", { class: "plain row small" });
  root = element("nav", { class: "jump", "aria-label": "Parts of the result", hidden: true }, this.#list);

  /* parts: nodes in their order; those in sight are named by their first heading. */
  show(parts) {
    const titles = parts
      .filter((part) => !part.hidden)
      .map((part) => part.querySelector("h2"))
      .filter(Boolean);
    this.root.hidden = titles.length < 2;
    replaceContent(this.#list, titles.map(jumpItem));
  }
}

function jumpItem(title) {
  title.tabIndex = -1;
  return element(
    "li",
    {},
    element("button", { type: "button", class: "button button-small", onclick: () => title.focus() }, title.textContent),
  );
}
