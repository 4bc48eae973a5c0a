/* The backend's answers: parsed, or an ApiError with a sentence for people. */

const API = "/api/v1";

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export const backendInfo = () => getJson("/", AbortSignal.timeout(3000));
export const samples = () => getJson(`${API}/samples`);
export const sampleText = (name) => getText(`${API}/samples/${encodeURIComponent(name)}`);
export const workflow = (id) => getJson(`${API}/workflows/${encodeURIComponent(id)}`);
export const cancelWorkflow = (id) => postJson(`${API}/workflows/${encodeURIComponent(id)}/cancel`);
export const workflowFeedback = (id) => getJson(`${API}/feedback/workflow/${encodeURIComponent(id)}`);
export const statistics = () => getJson(`${API}/feedback/statistics`);
export const improvements = (agent) => getJson(`${API}/feedback/improvements/${agent}`);
export const topExamples = (agent) => getJson(`${API}/feedback/top-examples/${agent}?limit=5`);
export const learningCurve = () => getJson(`${API}/feedback/learning-curve`);
export const curvePicture = (width) => `${API}/feedback/learning-curve.svg?width=${width}`;

export function streamAddress(id, lastEventId) {
  const cursor = lastEventId ? `&last_event_id=${encodeURIComponent(lastEventId)}` : "";
  return `${API}/workflows/${encodeURIComponent(id)}/stream?until=outcome${cursor}`;
}

export function workflowPage(before) {
  const query = new URLSearchParams({ limit: "20" });
  if (before) query.set("before", before);
  return getJson(`${API}/workflows?${query}`);
}

/* Both 200 and 503 carry the readiness report. */
export async function readiness() {
  const response = await reach("/ready", { headers: { Accept: "application/json" } });
  return response.json();
}

/* The fetched text, or null when the log store has none for this query. */
export async function fetchedLogs(seconds, query) {
  const parameters = new URLSearchParams({ pull_interval: String(seconds), filter_pattern: query });
  const response = await checked(`${API}/fetchlogs?${parameters}`);
  return response.status === 204 ? null : response.json();
}

export async function submitFeedback(feedback) {
  const response = await checked(`${API}/feedback/submit`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(feedback),
  });
  return response.json();
}

export const lessons = () => getJson(`${API}/feedback/lessons`);

export async function switchLesson(id, active) {
  const response = await checked(`${API}/feedback/lessons/${encodeURIComponent(id)}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ active }),
  });
  return response.json();
}

/* XMLHttpRequest, because fetch does not report how much of a body was sent. */
export function startWorkflow(body, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${API}/workflows/start`);
    request.setRequestHeader("Content-Type", "text/plain; charset=utf-8");
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText).workflow_id);
      else reject(new ApiError(reason(request.responseText, request.status), request.status));
    });
    request.addEventListener("error", () => {
      const message = "The backend closed the connection. Is it running, and is the input below its size limit?";
      reject(new ApiError(message, 0));
    });
    request.send(body);
  });
}

async function getJson(address, signal = null) {
  const response = await checked(address, { headers: { Accept: "application/json" }, signal });
  return response.json();
}

async function postJson(address) {
  const response = await checked(address, { method: "POST" });
  return response.json();
}

async function getText(address) {
  const response = await checked(address);
  return response.text();
}

async function checked(address, options) {
  const response = await reach(address, options);
  if (!response.ok) throw new ApiError(reason(await response.text(), response.status), response.status);
  return response;
}

async function reach(address, options) {
  try {
    return await fetch(address, options);
  } catch {
    throw new ApiError("The backend does not answer. Is it still running?", 0);
  }
}

function reason(text, status) {
  try {
    const { detail } = JSON.parse(text);
    if (typeof detail === "string") return detail;
    if (Array.isArray(detail)) return detail.map((problem) => `${problem.loc?.at(-1)}: ${problem.msg}`).join("; ");
  } catch {
    // A proxy's page is no reason worth reading.
  }
  return `The backend answered ${status}.`;
}
