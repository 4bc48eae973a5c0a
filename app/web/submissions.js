/* KubectlCommandAgent's answer: what waits for approval, and what the policy refused. */

import { approvalAddress } from "./backend.js";
import { badge } from "./badge.js";
import { element } from "./dom.js";
import { countOf } from "./format.js";
import { bulletList, card, paragraph } from "./section.js";

export function submissionsCard(report) {
  const { submissions = [], refused = [] } = report;
  return card(
    "Approval",
    submissions.length === 0 && paragraph("No command had to be submitted."),
    submissions.length > 0 &&
      element("ul", { class: "plain stack-tight" }, submissions.map(submissionItem)),
    refused.length > 0 && refusedBlock(refused),
  );
}

function submissionItem(submission) {
  const address = approvalAddress(submission.approval_id);
  if (submission.status === "error") {
    return element(
      "li",
      { class: "banner banner-bad" },
      element("strong", {}, `${submission.service}: not submitted. `),
      submission.error,
    );
  }
  return element(
    "li",
    { class: "row" },
    badge("Submitted", "good"),
    element("span", {}, submission.service),
    element("code", { class: "muted" }, submission.approval_id),
    address && element("a", { href: address }, "Decide on the approval page"),
  );
}

function refusedBlock(refused) {
  return element(
    "div",
    { class: "block stack-tight" },
    element("h3", {}, `Refused by the command policy (${countOf(refused.length, "command")})`),
    paragraph("These were never submitted.", "muted"),
    refused.map(({ command, reasons }) =>
      element(
        "div",
        { class: "stack-tight" },
        element("pre", { class: "command" }, command),
        bulletList("Because", reasons),
      ),
    ),
  );
}
