/* The panel under a request: one last look at a decision before it is sent. */

import { element, replaceContent } from "./dom.js";
import { giveBackFocus } from "./focus.js";
import { countOf } from "./format.js";
import { plain } from "./plain.js";
import { runsCommands } from "./server.js";

const SETTLE_MS = 800;

/* `send(reason)` resolves when it is decided, and rejects with a sentence for people. `input` takes the reason, and keeps it. */
export function approvePanel(commands, input, send, back) {
  const chosen = commands.filter(({ choice }) => choice?.runs);
  const rejected = commands.filter(({ choice }) => choice && !choice.runs);
  const refused = commands.filter(({ choice }) => !choice);
  const edited = chosen.filter(({ choice }) => choice.decision === "edited");
  const destructive = chosen.filter(({ isDestructive }) => isDestructive);
  const noted = chosen.filter(({ note }) => note);
  const verb = runsCommands() ? "Approve and run" : "Approve and record";
  const sentences = [
    `${verb} ${countOf(chosen.length, "command")}?`,
    edited.length > 0 && `${countOf(edited.length, "command")} with your text, which the policy judges first.`,
    rejected.length > 0 && `${countOf(rejected.length, "command")} rejected.`,
    refused.length > 0 && `${countOf(refused.length, "command")} refused by policy will not run.`,
    destructive.length > 0 && `${countOf(destructive.length, "command")} stops or removes something.`,
    noted.length > 0 && `${countOf(noted.length, "command")} with a note of its own.`,
  ];
  const needsCheck = destructive.length + noted.length + refused.length > 0;
  const check = element("label", { class: "choice" }, element("input", { type: "checkbox", required: true }), "I have checked these commands");
  const reason = commands.some(({ choice }) => choice?.lacksReason) && reasonField("Why is the rest rejected?", input);
  const submit = element("button", { type: "submit", class: "button button-primary" }, "Yes, approve");
  enableLater(submit);
  return decisionForm({ submit, reason, send, back }, [
    element("p", {}, sentences.filter(Boolean).join(" ")),
    needsCheck && check,
    reason?.root,
  ]);
}

export function rejectPanel(commands, input, send, back) {
  const reason = reasonField("Why not? The next plan learns from it.", input);
  const submit = element("button", { type: "submit", class: "button button-danger" }, "Yes, reject");
  return decisionForm({ submit, reason, send, back }, [
    element("p", {}, `Reject all of it? Nothing runs: ${countOf(commands.length, "command")}.`),
    reason.root,
  ]);
}

/* What appears under a key or a pointer that already goes down is not approved by it. */
export function enableLater(button) {
  button.disabled = true;
  setTimeout(() => (button.disabled = false), SETTLE_MS);
}

function reasonField(words, input) {
  return { input, root: element("label", { class: "field" }, element("span", { class: "legend" }, words), input) };
}

function decisionForm({ submit, reason, send, back }, content) {
  const failure = element("p", { class: "banner banner-bad", role: "alert", hidden: true });
  const cancel = element("button", { type: "button", class: "button", onclick: back }, "Back");
  const form = element("form", { class: "stack-tight" }, content, failure, element("div", { class: "row" }, submit, cancel));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const why = reason && reason.input.value.trim();
    if (why === "") return reason.input.focus();
    submit.disabled = true;
    failure.hidden = true;
    try {
      await send(why || undefined);
    } catch (error) {
      submit.disabled = false;
      failure.hidden = false;
      replaceContent(failure, plain(error.message));
      giveBackFocus(submit);
    }
  });
  return form;
}
