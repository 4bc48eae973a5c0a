/* MonitoringAgent's answer: what is wrong in the text, and where. */

import { badge, priorityBadge, severityBadge } from "./badge.js";
import { element } from "./dom.js";
import { countOf, formatCount } from "./format.js";
import { card, factList, folded } from "./section.js";
import { dataTable } from "./table.js";

const IN_SIGHT = 5;
const COLUMNS = [
  { label: "Severity" },
  { label: "Priority" },
  { label: "Service" },
  { label: "Message" },
  { label: "Count", number: true },
  { label: "Lines" },
];

export function findingsCard(findings) {
  const found = [...(findings.errors ?? []), ...(findings.warnings ?? [])];
  const { total_errors: errors = 0, total_warnings: warnings = 0 } = findings.summary ?? {};
  if (found.length === 0) return card("Findings", element("p", {}, "Nothing was found in these logs."));
  const rest = found.slice(IN_SIGHT);
  return card(
    "Findings",
    element("p", { class: "muted" }, `${countOf(errors, "error")}, ${countOf(warnings, "warning")}.`),
    dataTable("Findings", COLUMNS, found.slice(0, IN_SIGHT).map(findingCells)),
    rest.length > 0 && folded(`${rest.length} more`, dataTable("More findings", COLUMNS, rest.map(findingCells))),
  );
}

function findingCells(finding) {
  return [
    severityBadge(finding.severity),
    priorityBadge(finding.priority),
    finding.service,
    messageCell(finding),
    formatCount(finding.additional_context?.occurrence_count ?? 1),
    lineNumbers(finding),
  ];
}

function messageCell(finding) {
  const context = finding.additional_context ?? {};
  const kind = finding.error_type ?? finding.warning_type;
  const facts = factList([
    ["First seen", finding.timestamp === "UNKNOWN" ? "" : finding.timestamp],
    ["Code", context.error_code],
    ["Value", context.metric_value],
    ["Threshold", context.threshold],
  ]);
  return element(
    "div",
    { class: "stack-tight" },
    element("div", {}, element("code", {}, finding.message), " ", kind && badge(kind)),
    facts,
    context.stack_trace && folded("Stack trace", element("pre", { class: "quote" }, context.stack_trace)),
  );
}

function lineNumbers({ lines = [], additional_context: context = {} }) {
  const more = (context.occurrence_count ?? lines.length) > lines.length ? ", …" : "";
  return lines.length === 0 ? "–" : lines.map(formatCount).join(", ") + more;
}
