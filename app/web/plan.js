/* RemediationAgent's answer: what to do, step by step, with risk and the way back. */

import { badge, priorityBadge, severityBadge } from "./badge.js";
import { commandBlock } from "./command.js";
import { element } from "./dom.js";
import { countOf } from "./format.js";
import { banner, bulletList, card, factList, folded, paragraph } from "./section.js";

const PHASES = { INVESTIGATE: "Investigate", REMEDIATE: "Remediate", VERIFY: "Verify" };

export function planCard(remediation) {
  const plans = remediation.remediation_plans ?? [];
  if (plans.length === 0) return card("Plan", paragraph("No plan could be made for these causes."));
  return card(
    plans.length === 1 ? "Plan" : `Plans (${plans.length})`,
    paragraph("Nothing runs before a person approves it.", "muted"),
    plans.map(planBlock),
    plans.length > 1 && executionOrder(remediation.execution_order),
  );
}

function planBlock(plan) {
  return element(
    "article",
    { class: "block stack-tight" },
    element("h3", {}, plan.issue),
    planFacts(plan),
    plan.requires_manual_intervention &&
      banner("warn", "A person has to do a part of this", plan.manual_steps),
    !plan.requires_manual_intervention && paragraph(plan.manual_steps),
    Object.entries(PHASES).map(([phase, title]) => phaseBlock(title, stepsOf(plan, phase))),
    alternatives(plan.alternative_solutions),
    bulletList("So that it does not happen again", plan.preventive_measures),
    bulletList("Depends on", plan.dependencies),
  );
}

function planFacts(plan) {
  return [
    element(
      "div",
      { class: "row" },
      severityBadge(plan.severity),
      priorityBadge(plan.priority),
      element("span", { class: "muted small" }, plan.service),
    ),
    factList([
      ["Root cause", plan.root_cause],
      ["Blast radius", plan.blast_radius],
      ["Takes about", countOf(plan.estimated_time_minutes ?? 0, "minute")],
    ]),
  ];
}

function stepsOf(plan, phase) {
  return (plan.steps ?? []).filter((step) => step.phase === phase);
}

function phaseBlock(title, steps) {
  if (steps.length === 0) return null;
  return element(
    "section",
    { class: "phase stack-tight" },
    element("h4", { class: "phase-title" }, title),
    steps.map(stepBlock),
  );
}

function stepBlock(step) {
  return element(
    "div",
    { class: "step stack-tight" },
    element("p", {}, element("strong", {}, `${step.step_number}. `), step.description),
    (step.commands ?? []).map(commandBlock),
    step.success_criteria &&
      element("p", { class: "small" }, element("span", { class: "muted" }, "Worked when: "), step.success_criteria),
    step.rollback_commands?.length > 0 &&
      folded(`Roll back (${countOf(step.rollback_commands.length, "command")})`, step.rollback_commands.map(commandBlock)),
  );
}

function alternatives(items) {
  if (!items?.length) return null;
  return folded(
    `Alternatives (${items.length})`,
    items.map((item) =>
      element(
        "div",
        { class: "stack-tight" },
        element("h4", {}, item.approach),
        bulletList("For it", item.pros),
        bulletList("Against it", item.cons),
        (item.commands ?? []).map((command) => commandBlock({ command })),
      ),
    ),
  );
}

function executionOrder(items) {
  if (!items?.length) return null;
  const ordered = [...items].sort((one, other) => one.order - other.order);
  return folded(
    "In which order",
    element(
      "ol",
      { class: "bullets" },
      ordered.map((item) =>
        element("li", {}, item.issue_id, ": ", item.reason, " ", item.can_run_parallel && badge("May run in parallel")),
      ),
    ),
  );
}
