/* What people made of the plans so far, and whether the plans get better. */

import { curvePicture, improvements, learningCurve, statistics, topExamples } from "./api.js";
import { decisionBadge } from "./badge.js";
import { LearningChart } from "./chart.js";
import { LessonsCard } from "./lessons.js";
import { element, replaceContent } from "./dom.js";
import { countOf, formatCount, formatPercent, formatScore, formatTime } from "./format.js";
import { intervalWords } from "./interval.js";
import { liftCard } from "./lift.js";
import { ratesCard } from "./rates.js";
import { banner, bulletList, card, factList, folded, paragraph } from "./section.js";
import { usedExamplesCard } from "./used.js";

const AGENT = "RemediationAgent";
/* Asked for in about its size on the screen, so that its letters keep theirs. */
const PICTURE_WIDTH = innerWidth < 700 ? 320 : 1080;

export class StatisticsView {
  title = "Statistics";
  #lessons = new LessonsCard();
  #parts = {
    numbers: element("div"),
    lift: element("div"),
    curve: element("div"),
    rates: element("div"),
    used: element("div"),
    suggestions: element("div"),
    examples: element("div"),
  };
  root = element(
    "div",
    { class: "stack" },
    element("h1", { tabindex: "-1" }, "Statistics"),
    Object.values(this.#parts),
    this.#lessons.root,
  );

  async open() {
    const figures = statistics().then((answer) => answer.agent_statistics?.[AGENT] ?? {});
    await Promise.all([
      this.#fill("numbers", "Decisions and ratings", figures, numbersCard),
      this.#fill("lift", "Does learning help?", figures, liftCard),
      this.#fill("curve", "Learning curve", learningCurve(), curveCard),
      this.#fill("rates", "Approval rates", figures, ratesCard),
      this.#fill("used", "Examples in use", figures, usedExamplesCard),
      this.#fill("suggestions", "What reviewers asked for", improvements(AGENT), suggestionsCard),
      this.#fill("examples", "Best rated plans", topExamples(AGENT), examplesCard),
      this.#lessons.open(),
    ]);
  }

  async #fill(part, title, answer, render) {
    try {
      replaceContent(this.#parts[part], render(await answer));
    } catch (error) {
      replaceContent(this.#parts[part], card(title, banner("bad", "This cannot be read", error.message)));
    }
  }
}

function numbersCard(numbers) {
  const tiles = [
    ["Plans", formatCount(numbers.total_outputs)],
    ["Commands approved", formatCount(numbers.approved_count)],
    ["Commands rejected", formatCount(numbers.rejected_count)],
    ["Plans undecided", formatCount(numbers.pending_count)],
    ["Approval rate", formatPercent(numbers.approval_rate), sureness(numbers)],
    ["Changes approved", formatPercent(numbers.change_approval_rate), "of the changing commands"],
    ["Average reward", formatScore(numbers.average_reward)],
    ["Learning examples", formatCount(numbers.learning_examples)],
    ["Plans rated", formatCount(numbers.rated_count)],
  ];
  return card(
    "Decisions and ratings",
    element(
      "dl",
      { class: "tiles" },
      tiles.map(([term, value, more]) =>
        element(
          "div",
          { class: "tile" },
          element("dt", {}, term),
          element("dd", { class: "number" }, value),
          more && element("dd", { class: "tile-more muted number" }, more),
        ),
      ),
    ),
  );
}

/* Nothing while nothing was decided: from 0 to 100 % is no news. */
function sureness({ approval_interval: interval, approved_count: approved, rejected_count: rejected }) {
  return interval && approved + rejected > 0 ? `95 %: ${intervalWords(interval)}` : "";
}

function curveCard(answer) {
  const points = answer.points ?? [];
  if (points.length === 0) return card("Learning curve", paragraph("It begins with the first decision on the approval page.", "muted"));
  return card(
    "Learning curve",
    paragraph(curveWords(points.at(-1), answer.window)),
    picture(),
    folded("Point by point", new LearningChart(points, answer.window).root),
  );
}

/* What the picture's main line comes to, over its own window. */
function curveWords(last, size) {
  const rate = last.recent_change_approval_rate;
  const found =
    rate === null
      ? "no changing command was decided."
      : `${formatPercent(rate)} of the changing commands were approved (95 %: ${intervalWords(last.recent_change_interval)}), average reward ${formatScore(last.recent_average_reward)}.`;
  return `Over the last ${countOf(Math.min(size, last.number), "decided plan")}: ${found}`;
}

function picture() {
  const address = curvePicture(PICTURE_WIDTH);
  const alternative = "Learning curve with the interval of its main line; the figures follow point by point.";
  return element(
    "figure",
    { class: "picture stack-tight" },
    element("img", { src: address, alt: alternative }),
    element("figcaption", { class: "small" }, element("a", { href: address }, "Open the picture (SVG)")),
  );
}

function suggestionsCard(answer) {
  const suggestions = answer.improvement_suggestions ?? [];
  return card(
    "What reviewers asked for",
    suggestions.length === 0 && paragraph("Nothing yet: rejection reasons and suggested improvements appear here.", "muted"),
    bulletList("", suggestions),
  );
}

function examplesCard(answer) {
  const examples = answer.examples ?? [];
  return card(
    "Best rated plans",
    examples.length === 0 && paragraph("No plan has earned a high reward yet.", "muted"),
    examples.map(exampleBlock),
  );
}

function exampleBlock(example) {
  const { approved_commands: approved, rejected_commands: rejected } = example;
  return element(
    "article",
    { class: "block stack-tight" },
    element(
      "div",
      { class: "row" },
      decisionBadge(example.approval_status),
      element("strong", { class: "number" }, `Reward ${formatScore(example.reward_score)}`),
      element("span", { class: "muted small" }, formatTime(example.timestamp)),
    ),
    factList([
      ["Rating", example.rating && `${example.rating} of 5`],
      ["Helpful", example.was_helpful === null || example.was_helpful === undefined ? "" : example.was_helpful ? "Yes" : "No"],
      ["Commands", `${countOf(count(approved), "command")} approved, ${count(rejected)} rejected`],
      ["Plan", element("code", {}, example.feedback_id)],
    ]),
    element("pre", { class: "quote" }, example.output_preview),
  );
}

function count(commands) {
  return Array.isArray(commands) ? commands.length : Number(commands ?? 0);
}
