/* A share with its 95 % interval: in words for everybody, as a bar for those who see it. */

import { element, svgElement } from "./dom.js";
import { formatPercent } from "./format.js";

const WIDTH = 120;
const HEIGHT = 12;

export function intervalWords({ low, high }) {
  return `${Math.round(low * 100)} to ${formatPercent(high)}`;
}

/* On a line from 0 to 100 %. */
export function rateCell(rate, interval) {
  if (rate === null || rate === undefined) return "–";
  return element(
    "span",
    { class: "rate" },
    element("span", { class: "rate-words" }, formatPercent(rate), element("span", { class: "muted small" }, ` (${intervalWords(interval)})`)),
    bar(rate, interval),
  );
}

function bar(rate, { low, high }) {
  const middle = HEIGHT / 2;
  return svgElement(
    "svg",
    { class: "rate-bar", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" },
    svgElement("line", { class: "grid", x1: 0, x2: WIDTH, y1: middle, y2: middle }),
    svgElement("rect", { class: "rate-band", x: low * WIDTH, y: 2, width: Math.max((high - low) * WIDTH, 1), height: HEIGHT - 4 }),
    svgElement("circle", { class: "rate-dot", cx: rate * WIDTH, cy: middle, r: 3.5 }),
  );
}
