/* The learning curve as a drawing one can hover over, walk with the arrow keys, or read as a table. */

import { element, replaceContent, svgElement } from "./dom.js";
import { countOf, formatCount, formatPercent, formatScore, formatTime } from "./format.js";
import { folded } from "./section.js";
import { dataTable } from "./table.js";

/* Drawn at about its size on the screen, so that its letters keep theirs. */
const WIDTH = innerWidth < 700 ? 340 : 1100;
const HEIGHT = 280;
const LEFT = 52;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 44;
const MOST_POINTS = 400;
const MOST_ROWS = 100;
/* All over the same window: a line of all plans so far beside one of the last few would contradict it. */
const LINES = [
  ["recent_change_approval_rate", "Changing commands approved", "line-recent"],
  ["recent_approval_rate", "All commands approved", "line-all"],
  ["recent_average_reward", "Average reward", "line-reward"],
];
const COLUMNS = [
  { label: "Decision", number: true },
  { label: "When" },
  ...LINES.map(([, words]) => ({ label: words, number: true })),
];

export class LearningChart {
  #readout = element("output", { class: "small number", for: "curve-position" });
  #marker = svgElement("g", { class: "marker" });
  #slider;
  #svg;

  constructor(points, windowSize) {
    this.window = windowSize;
    this.points = sampled(points, MOST_POINTS);
    this.#svg = this.#drawing();
    this.#slider = element("input", {
      type: "range",
      id: "curve-position",
      min: "0",
      max: String(this.points.length - 1),
      value: String(this.points.length - 1),
      "aria-label": "Point of the learning curve",
      oninput: () => this.#point(Number(this.#slider.value)),
    });
    this.root = element(
      "div",
      { class: "stack-tight" },
      legend(),
      element("figure", { class: "chart" }, this.#svg),
      this.#slider,
      this.#readout,
      folded("The same as a table", dataTable("Learning curve", COLUMNS, sampled(points, MOST_ROWS).map(rowCells))),
    );
    this.#point(this.points.length - 1);
  }

  #drawing() {
    const last = this.points.at(-1);
    const svg = svgElement(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Learning curve. ${this.#sentence(last)}` },
      yAxis(),
      this.#xAxis(),
      LINES.map(([key, , kind]) => svgElement("path", { class: `line ${kind}`, d: this.#path(key) })),
      this.#marker,
    );
    svg.addEventListener("pointermove", (event) => this.#hover(event));
    return svg;
  }

  #xAxis() {
    const first = this.points[0].number;
    const last = this.points.at(-1).number;
    const middle = this.points[Math.floor((this.points.length - 1) / 2)].number;
    const ticks = [...new Set([first, middle, last])];
    return [
      svgElement("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: yOf(0), y2: yOf(0) }),
      ticks.map((number) => axisText({ x: this.#xOf(number), y: yOf(0) + 18, "text-anchor": "middle" }, formatCount(number))),
      axisText({ x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, `Decided plans, by the last ${formatCount(this.window)}`),
    ];
  }

  #path(key) {
    const known = this.points.filter((point) => Number.isFinite(point[key]));
    return known.map((point, index) => `${index ? "L" : "M"}${this.#xOf(point.number).toFixed(1)} ${yOf(point[key]).toFixed(1)}`).join("");
  }

  #xOf(number) {
    const first = this.points[0].number;
    const span = this.points.at(-1).number - first;
    return span === 0 ? (LEFT + WIDTH - RIGHT) / 2 : LEFT + ((number - first) / span) * (WIDTH - RIGHT - LEFT);
  }

  #hover(event) {
    const box = this.#svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    const distances = this.points.map((point) => Math.abs(this.#xOf(point.number) - x));
    const nearest = distances.indexOf(Math.min(...distances));
    this.#slider.value = String(nearest);
    this.#point(nearest);
  }

  #point(index) {
    const point = this.points[index];
    const x = this.#xOf(point.number);
    replaceContent(
      this.#marker,
      svgElement("line", { class: "marker-line", x1: x, x2: x, y1: TOP, y2: yOf(0) }),
      LINES.filter(([key]) => Number.isFinite(point[key])).map(([key, , kind]) =>
        svgElement("circle", { class: `dot ${kind}`, cx: x, cy: yOf(point[key]), r: 4.5 }),
      ),
    );
    replaceContent(this.#readout, this.#sentence(point));
    this.#slider.setAttribute("aria-valuetext", this.#sentence(point));
  }

  #sentence(point) {
    return (
      `After ${countOf(point.number, "decided plan")}, over the last ${formatCount(Math.min(this.window, point.number))}: ` +
      `changing commands approved ${formatPercent(point.recent_change_approval_rate)}, ` +
      `all commands ${formatPercent(point.recent_approval_rate)}, average reward ${formatScore(point.recent_average_reward)}.`
    );
  }
}

function yAxis() {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return ticks.map((value) => [
    svgElement("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: yOf(value), y2: yOf(value) }),
    axisText({ x: LEFT - 8, y: yOf(value) + 4, "text-anchor": "end" }, formatPercent(value)),
  ]);
}

function axisText(attributes, words) {
  return svgElement("text", { class: "axis-text", ...attributes }, words);
}

function yOf(value) {
  return TOP + (1 - value) * (HEIGHT - TOP - BOTTOM);
}

function legend() {
  return element(
    "ul",
    { class: "plain row small" },
    LINES.map(([, words, kind]) =>
      element(
        "li",
        { class: "row" },
        svgElement("svg", { width: 28, height: 10, "aria-hidden": "true" }, svgElement("path", { class: `line ${kind}`, d: "M0 5L28 5" })),
        words,
      ),
    ),
  );
}

function rowCells(point) {
  return [
    formatCount(point.number),
    formatTime(point.timestamp),
    formatPercent(point.recent_change_approval_rate),
    formatPercent(point.recent_approval_rate),
    formatScore(point.recent_average_reward),
  ];
}

/* Evenly spaced, always with the first and the last. */
function sampled(points, most) {
  if (points.length <= most) return points;
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => points[Math.round(index * step)]);
}
