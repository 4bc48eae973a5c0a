/* Single keys for those who decide a lot; they do nothing while somebody types. */

const TYPING = "textarea, select, input:not([type=radio], [type=checkbox])";
const DOES = { a: "approve", r: "reject", e: "edit" };

export function enableKeys(pending) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPING)) return;
    if (!press(event.key, pending, pending.cardOf(event.target))) return;
    event.preventDefault();
  });
}

function press(key, pending, card) {
  const cards = pending.shown;
  const here = cards.indexOf(card);
  if (key === "j") cards[Math.min(here + 1, cards.length - 1)]?.select();
  else if (key === "k") cards[Math.max(here - 1, 0)]?.select();
  else if (card && Object.hasOwn(DOES, key)) card.press(DOES[key]);
  else return false;
  return true;
}
