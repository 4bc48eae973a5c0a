/* How often commands are approved, by failure, by environment and by week, and how sure that is. */

import { formatCount } from "./format.js";
import { rateCell } from "./interval.js";
import { card, folded, paragraph } from "./section.js";
import { dataTable } from "./table.js";

const GROUPS = [
  ["failure_mode", "Failure"],
  ["environment", "Environment"],
  ["week", "Week"],
];

/* Weeks are shown newest first: what is happening now is what people ask about. */
export function ratesCard(numbers) {
  const groups = numbers.approval_by ?? {};
  const isEmpty = !GROUPS.some(([key]) => groups[key]?.length);
  if (isEmpty) return card("Approval rates", paragraph("They begin with the first decision.", "muted"));
  return card(
    "Approval rates",
    paragraph("In brackets the 95 % interval. Commands of one plan are decided together, so ten of them tell less than ten plans.", "muted"),
    GROUPS.map(([key, label], index) => {
      const rates = key === "week" ? [...(groups[key] ?? [])].reverse() : (groups[key] ?? []);
      const part = folded(`By ${label.toLowerCase()} (${rates.length})`, ratesTable(label, rates));
      part.open = index === 0;
      return part;
    }),
  );
}

function ratesTable(label, rates) {
  const columns = [
    { label },
    { label: "Plans", number: true },
    { label: "Approved", number: true },
    { label: "Rejected", number: true },
    { label: "Approval rate" },
  ];
  const rows = rates.map((rate) => [
    rate.name,
    formatCount(rate.plans),
    formatCount(rate.approved_commands),
    formatCount(rate.rejected_commands),
    rateCell(rate.approval_rate, rate.interval),
  ]);
  return dataTable(`Approval rate by ${label.toLowerCase()}`, columns, rows);
}
