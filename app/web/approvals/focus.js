/* Keeps the place of who uses the keyboard: a disabled button loses the focus, and so does what is drawn again. */

export function giveBackFocus(node) {
  if (document.activeElement === document.body) node?.focus({ preventScroll: true });
}

/* Whether the focus is there, or nowhere else. */
export function mayFocus(node) {
  return document.activeElement === document.body || node.contains(document.activeElement);
}
