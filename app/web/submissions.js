/* KubectlCommandAgent's answer: what waits for approval, and what the policy refused. */

import { approvalAddress } from "./backend.js";
import { badge } from "./badge.js";
import { judgedBlock } from "./command.js";
import { element } from "./dom.js";
import { countOf } from "./format.js";
import { card, folded, paragraph } from "./section.js";

const MEANINGS = {
  "idempotency-key": "no idempotency keys",
  "per-command": "no decision per command and reports no results",
  edit: "no edits",
  expiry: "no expiry",
  undo: "no undo",
  audit: "no audit",
  "webhook-types": "one report alone",
};

export function submissionsCard(report) {
  const { submissions = [], judged = [], lacks = [] } = report;
  return card(
    "Approval",
    submissions.length === 0 && paragraph("No command had to be submitted."),
    submissions.length > 0 &&
      element("ul", { class: "plain stack-tight" }, submissions.map(submissionItem)),
    lacks.length > 0 && paragraph(lacksSentence(lacks)),
    judgedBlocks(judged.length > 0 ? judged : refusedOf(report)),
  );
}

/* The approval server's protocol, in one sentence. */
function lacksSentence(lacks) {
  const words = lacks.map((feature) => MEANINGS[feature] ?? feature);
  return `The approval server is of an older kind: it knows ${words.join(", ")}.`;
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

function judgedBlocks(judged) {
  const of = (verdict) => judged.filter((one) => one.verdict === verdict);
  const unseen = of("accepted").filter((one) => one.in_evidence === false);
  const seen = of("accepted").filter((one) => one.in_evidence !== false);
  return [
    group(`Refused by the command policy (${countOf(of("refused").length, "command")})`, of("refused"), "These were never submitted."),
    group(`Changed before they were submitted (${countOf(of("repaired").length, "command")})`, of("repaired")),
    group(`Accepted, and not in evidence (${countOf(unseen.length, "command")})`, unseen, "Each needs a confirmation of its own."),
    seen.length > 0 &&
      folded(`Accepted by the command policy (${countOf(seen.length, "command")})`, seen.map(judgedBlock)),
  ];
}

function group(title, judged, note = "") {
  if (judged.length === 0) return null;
  return element(
    "div",
    { class: "block stack-tight" },
    element("h3", {}, title),
    paragraph(note, "muted"),
    judged.map(judgedBlock),
  );
}

/* Reports of before name the refused ones alone. */
function refusedOf({ refused = [] }) {
  return refused.map((one) => ({ verdict: "refused", risk: "FORBIDDEN", ...one }));
}
