/* A file to send as it is: chosen, or dropped anywhere on the view. */

import { element, replaceContent } from "./dom.js";
import { formatBytes } from "./format.js";

export class FilePicker {
  file = null;
  #input = element("input", {
    type: "file",
    id: "file",
    class: "visually-hidden",
    onchange: () => this.#choose(this.#input.files[0] ?? null),
  });
  #name = element("span", { class: "small" });
  #remove = element(
    "button",
    { type: "button", class: "button button-small", hidden: true, onclick: () => this.#choose(null) },
    "Remove file",
  );

  /* onChoose(file or null) is told after every change. */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.root = element(
      "div",
      { class: "row drop" },
      this.#input,
      element("label", { for: "file", class: "button" }, "Choose a file"),
      this.#name,
      this.#remove,
    );
    this.#show();
  }

  acceptDrops(area) {
    area.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.root.classList.add("drop-ready");
    });
    area.addEventListener("dragleave", () => this.root.classList.remove("drop-ready"));
    area.addEventListener("drop", (event) => {
      event.preventDefault();
      this.root.classList.remove("drop-ready");
      const [file] = event.dataTransfer.files;
      if (file) this.#choose(file);
    });
  }

  clear() {
    if (this.file) this.#choose(null);
  }

  #choose(file) {
    this.file = file;
    if (file === null) this.#input.value = "";
    this.#show();
    this.onChoose(file);
  }

  #show() {
    this.#remove.hidden = this.file === null;
    const words = this.file ? `${this.file.name}, ${formatBytes(this.file.size)}` : "or drop one here; it is sent as it is";
    replaceContent(this.#name, words);
  }
}
