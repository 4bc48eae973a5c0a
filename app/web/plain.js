/* Text of others as it is: what would hide or turn around other characters is shown by its number. */

import { element } from "./dom.js";

const HIDDEN = /([^\P{C}\t\n]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}])/u;

/* Nodes that show the text, isolated from the direction of what stands around it. */
export function plain(value) {
  const parts = text(value).split(HIDDEN);
  return element("bdi", {}, parts.map((part, place) => (place % 2 ? hidden(part) : part)));
}

/* The same where only letters can stand: in labels. */
export function plainWords(value) {
  return text(value).split(HIDDEN).map((part, place) => (place % 2 ? numberOf(part) : part)).join("");
}

/* Metadata is whatever its proposer sent. */
export function text(value) {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

function hidden(character) {
  return element("span", { class: "hidden-character", title: "A character that cannot be seen" }, numberOf(character));
}

function numberOf(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}
