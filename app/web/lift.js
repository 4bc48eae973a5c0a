/* Whether learning helps: the holdout against the rest, in a sentence, and the figures behind it. */

import { countOf, formatCount, formatPercent } from "./format.js";
import { intervalWords } from "./interval.js";
import { banner, card, factList, folded, paragraph } from "./section.js";
import { dataTable } from "./table.js";

const TITLES = {
  better: ["good", "Yes, measurably"],
  worse: ["bad", "No, it makes plans worse"],
  undecided: ["info", "Not known yet"],
};
const POLICIES = [
  ["guided", "Always with what was learned"],
  ["held_out", "Never with it"],
];
const ESTIMATES = [
  ["self_normalised", "Self-normalised"],
  ["doubly_robust", "Doubly robust"],
];
const COLUMNS = [
  { label: "Policy" },
  { label: "Estimate" },
  { label: "Approval", number: true },
  { label: "95 % interval", number: true },
  { label: "Effective sample size", number: true },
];

export function liftCard(numbers) {
  const { approval, reward } = numbers.holdout ?? {};
  if (!approval) return null;
  const { lift, off_policy: offPolicy } = approval;
  const [tone, title] = TITLES[lift.verdict] ?? TITLES.undecided;
  return card(
    "Does learning help?",
    banner(tone, title, lift.sentence),
    lift.explanation && paragraph(lift.explanation, "muted"),
    factList([
      ["Planned with what was learned", armWords(lift.guided)],
      ["Held out", armWords(lift.held_out)],
      ["By the reward", [reward.lift.sentence, reward.lift.explanation].filter(Boolean).join(" ")],
      ["Not decided yet", undecidedWords(numbers.holdout)],
    ]),
    lift.guided.workflows + lift.held_out.workflows > 0 &&
      folded(
        "The same from the recorded probabilities",
        paragraph(
          "What would have come of either policy on all of these workflows. These intervals hold for one look; the one above holds however often you look.",
          "muted",
        ),
        dataTable("Off-policy estimates", COLUMNS, policyRows(offPolicy)),
      ),
  );
}

function armWords({ workflows, mean }) {
  const share = mean === null ? "" : `, ${formatPercent(mean)} of a plan's commands approved on average`;
  return `${countOf(workflows, "decided workflow")}${share}`;
}

function undecidedWords({ undecided_plans_guided: guided, undecided_plans_held_out: heldOut }) {
  if (!guided && !heldOut) return "";
  return `${countOf(guided, "plan")} with what was learned, ${countOf(heldOut, "plan")} held out: in no figure here`;
}

function policyRows(offPolicy) {
  return POLICIES.flatMap(([key, policy]) =>
    ESTIMATES.filter(([name]) => offPolicy[key][name]).map(([name, estimate]) => [
      policy,
      estimate,
      formatPercent(offPolicy[key][name].value),
      sureness(offPolicy[key][name].interval),
      formatCount(Math.round(offPolicy[key].effective_sample_size)),
    ]),
  );
}

function sureness(interval) {
  return interval ? intervalWords(interval) : "too few yet";
}
