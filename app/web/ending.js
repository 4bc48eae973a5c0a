/* How a workflow ended: which words and which colour its last event gets. */

const HEALTHY = "No errors or warnings found";
const UNSOLVED = "Could not";

/* {state, title, tone, sentence}; older logs have no outcome in their last event. */
export function endingOf(event) {
  const outcome = event.outcome ?? {};
  const state = outcome.state ?? (event.status === "ERROR" ? "failed" : "completed");
  const [words, tone] = wordsFor(state, event.data);
  return { state, tone, title: outcome.is_partial ? `${words}: a partial result` : words, sentence: event.data };
}

function wordsFor(state, sentence) {
  if (state === "cancelled") return ["Cancelled", "warn"];
  if (state !== "completed") return ["Failed", "bad"];
  if (sentence.startsWith(HEALTHY)) return ["Healthy", "good"];
  if (sentence.startsWith(UNSOLVED)) return ["Not solved", "warn"];
  return ["Investigated", "info"];
}
