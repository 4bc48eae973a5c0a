/* Says a sentence to screen readers without moving the focus. */

export function announce(sentence) {
  if (sentence) document.getElementById("announcer").textContent = sentence;
}
