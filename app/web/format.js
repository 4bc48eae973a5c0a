/* Numbers, sizes and times as people read them. */

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function formatCount(value) {
  return Number(value ?? 0).toLocaleString();
}

export function countOf(value, singular, plural = `${singular}s`) {
  return `${formatCount(value)} ${value === 1 ? singular : plural}`;
}

export function formatBytes(bytes) {
  if (bytes < 1024) return countOf(bytes, "byte");
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

export function formatSeconds(seconds) {
  if (seconds < 0.005) return "0 s";
  if (seconds < 0.95) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export function formatPercent(fraction) {
  return fraction === null || fraction === undefined ? "–" : `${Math.round(fraction * 100)} %`;
}

export function formatScore(value) {
  return value === null || value === undefined ? "–" : Number(value).toFixed(2);
}

export function formatTime(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? String(text ?? "") : moment.format(time);
}

export function secondsBetween(from, until) {
  return Math.max(0, (new Date(until) - new Date(from)) / 1000);
}
