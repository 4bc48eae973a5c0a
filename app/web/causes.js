/* AnalysisAgent's answer: why it went wrong, with quoted evidence. */

import { badge, priorityBadge, severityBadge } from "./badge.js";
import { element } from "./dom.js";
import { countOf } from "./format.js";
import { bulletList, card, factList, folded, paragraph, quotes } from "./section.js";

export function causesCard(analysis) {
  const causes = analysis.root_cause_analysis ?? [];
  return card(
    "Root causes",
    causes.length === 0 && paragraph("No root cause could be determined from these logs."),
    causes.map(causeBlock),
    block("Patterns", analysis.patterns_detected, patternBlock),
    block("Warnings", analysis.warning_analysis, warningBlock),
  );
}

function causeBlock(cause) {
  const impact = cause.impact ?? {};
  return element(
    "article",
    { class: "block stack-tight" },
    element("h3", {}, cause.root_cause),
    badges(cause, cause.is_cascading_effect && badge("Follows from another cause", "info")),
    paragraph(cause.explanation),
    quotes("Evidence in the logs", cause.evidence),
    factList([
      ["Blast radius", impact.blast_radius],
      ["Users notice", impact.user_impact],
      ["Related to", cause.related_to],
    ]),
    bulletList("Contributing factors", cause.contributing_factors),
    bulletList("Cascading effects", impact.cascading_effects),
  );
}

function warningBlock(warning) {
  const causes = (warning.potential_causes ?? []).map(
    ({ cause, probability, explanation }) => `${cause} (${words(probability)} probability) ${explanation ?? ""}`,
  );
  return element(
    "article",
    { class: "block stack-tight" },
    element("h4", {}, element("code", {}, warning.warning_message)),
    badges(warning),
    bulletList("Possible causes", causes),
    factList([
      ["May lead to", warning.potential_impact],
      ["Recommended", warning.recommended_action],
      ["Urgency", words(warning.urgency)],
    ]),
  );
}

function patternBlock(pattern) {
  return element(
    "article",
    { class: "block stack-tight" },
    element("div", { class: "row" }, badge(words(pattern.pattern_type), "info")),
    paragraph(pattern.description),
    factList([
      ["Services", pattern.affected_services?.join(", ")],
      ["Seen", pattern.evidence_count ? countOf(pattern.evidence_count, "time") : ""],
      ["Recommended", pattern.recommendation],
    ]),
  );
}

function badges({ severity, priority, service }, ...more) {
  return element(
    "div",
    { class: "row" },
    severityBadge(severity),
    priorityBadge(priority),
    service && element("span", { class: "muted small" }, service),
    more,
  );
}

function block(title, items, render) {
  return items?.length ? folded(`${title} (${items.length})`, items.map(render)) : null;
}

function words(name) {
  return String(name ?? "").toLowerCase().replaceAll("_", " ");
}
