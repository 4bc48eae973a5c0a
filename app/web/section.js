/* The parts a result is made of: cards, lists of facts, quotes, folded parts. */

import { element } from "./dom.js";

export function card(title, ...children) {
  return element("section", { class: "card stack-tight" }, element("h2", {}, title), children);
}

/* facts: [[term, text or node]]; empty ones are left out. */
export function factList(facts) {
  const known = facts.filter(([, value]) => isPresent(value));
  if (known.length === 0) return null;
  return element(
    "dl",
    { class: "facts" },
    known.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))),
  );
}

export function bulletList(title, items) {
  if (!items?.length) return null;
  return element(
    "div",
    {},
    element("h4", {}, title),
    element("ul", { class: "bullets" }, items.map((item) => element("li", {}, item))),
  );
}

export function quotes(title, lines) {
  if (!lines?.length) return null;
  return element(
    "div",
    { class: "stack-tight" },
    element("h4", {}, title),
    element("pre", { class: "quote" }, lines.join("\n")),
  );
}

export function folded(title, ...children) {
  return element(
    "details",
    { class: "folded" },
    element("summary", {}, title),
    element("div", { class: "stack-tight folded-body" }, children),
  );
}

export function paragraph(text, kind = "") {
  return text ? element("p", { class: kind }, text) : null;
}

export function banner(tone, title, text = "") {
  return element(
    "div",
    { class: `banner banner-${tone}` },
    element("strong", {}, title),
    text && element("p", {}, text),
  );
}

function isPresent(value) {
  return value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);
}
