/* Moments as somebody says them who looks at a clock now. */

import { formatTime } from "./format.js";

const STEPS = [
  [60, 1, "second"],
  [60 * 60, 60, "minute"],
  [36 * 60 * 60, 60 * 60, "hour"],
  [Infinity, 24 * 60 * 60, "day"],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });

export function distance(moment) {
  const seconds = (new Date(moment) - Date.now()) / 1000;
  const [, length, unit] = STEPS.find(([limit]) => Math.abs(seconds) < limit) ?? STEPS.at(-1);
  return Number.isNaN(seconds) ? formatTime(moment) : relative.format(Math.round(seconds / length), unit);
}

export function expiry(moment) {
  if (!moment) return "does not expire";
  return new Date(moment) > Date.now() ? `expires ${distance(moment)}` : "its time is over";
}
