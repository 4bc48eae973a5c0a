/* The approval page: what waits, what was decided, and what the server says of itself. */

import { replaceContent } from "./dom.js";
import { formatCount } from "./format.js";
import { enableKeys } from "./keys.js";
import { PastList } from "./past.js";
import { PendingList } from "./pending.js";
import { plain } from "./plain.js";
import { approvalAddress, ask } from "./server.js";
import { ServerState } from "./state.js";

const POLL_MS = 3000;
const QUICK_POLL_MS = 1000;

const byId = (id) => document.getElementById(id);
const reviewer = () => byId("reviewer").value.trim() || null;
const state = new ServerState(byId("state"), byId("backend"));
const pending = new PendingList({ list: byId("cards"), more: byId("more"), reviewer, hasDecided: showFate });
const past = new PastList({ list: byId("recent"), older: byId("older"), reviewer, hasChanged: refresh });
let followed = "";

start();

async function start() {
  byId("reviewer").value = localStorage.getItem("reviewer") ?? "";
  byId("reviewer").addEventListener("change", (event) => localStorage.setItem("reviewer", event.target.value.trim()));
  byId("more").addEventListener("click", () => {
    pending.showMore();
    refresh();
  });
  byId("older").addEventListener("click", () => {
    past.showMore();
    refresh();
  });
  byId("filter").addEventListener("change", (event) => {
    past.filter(event.target.value);
    refresh();
  });
  enableKeys(pending);
  for (;;) {
    await refresh();
    await new Promise((resolve) => setTimeout(resolve, past.isMoving ? QUICK_POLL_MS : POLL_MS));
  }
}

async function refresh() {
  try {
    await state.refresh();
    const linked = await linkedRequest();
    showTotal(await pending.refresh(linked));
    await past.refresh(linked);
    follow(linked);
    byId("trouble").hidden = true;
  } catch (error) {
    byId("trouble").hidden = false;
    replaceContent(byId("trouble"), plain(`${error.message} The page tries again by itself; what it shows may be old.`));
  }
}

/* What somebody has just decided is followed without another click. */
async function showFate(id) {
  await refresh();
  past.reveal(id);
}

/* A link from elsewhere names a request in the address's hash. */
async function linkedRequest() {
  const id = location.hash.slice(1);
  if (!id || id === "pending") return null;
  return ask(approvalAddress(id)).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
}

function follow(linked) {
  if (!linked || followed === linked.id) return;
  followed = linked.id;
  if (document.activeElement !== document.body) return;
  if (linked.status === "pending") pending.card(linked.id)?.select();
  else past.reveal(linked.id)?.querySelector("summary").focus();
}

function showTotal(total) {
  byId("none").hidden = total > 0;
  replaceContent(byId("total"), total ? ` (${formatCount(total)})` : "");
  document.title = total ? `(${formatCount(total)}) Approvals` : "Approvals";
}
