/* The earlier plans that later ones were shown, and how those fared. */

import { element } from "./dom.js";
import { countOf, formatCount, formatScore } from "./format.js";
import { rateCell } from "./interval.js";
import { card, paragraph } from "./section.js";
import { dataTable } from "./table.js";

const COLUMNS = [
  { label: "Example" },
  { label: "Shown to" },
  { label: "Decided", number: true },
  { label: "Commands approved" },
  { label: "Average reward", number: true },
];

export function usedExamplesCard(numbers) {
  const used = numbers.examples_used ?? [];
  if (used.length === 0) return card("Examples in use", paragraph("No plan has been shown an earlier one yet.", "muted"));
  return card(
    "Examples in use",
    paragraph("How the plans fared that were made with them. That alone is no proof that they helped: see above.", "muted"),
    dataTable("Examples in use", COLUMNS, used.map(exampleCells)),
  );
}

function exampleCells(example) {
  return [
    element("span", { class: "stack-tight" }, example.issue || "Without a title", element("code", { class: "small muted" }, example.feedback_id)),
    shownWords(example),
    formatCount(example.decided_plans),
    rateCell(example.approval_rate, example.interval),
    formatScore(example.average_reward),
  ];
}

function shownWords({ followed_count: followed, avoided_count: avoided }) {
  const parts = [followed > 0 && `${countOf(followed, "plan")} to follow`, avoided > 0 && `${countOf(avoided, "plan")} to avoid`];
  return parts.filter(Boolean).join(", ");
}
