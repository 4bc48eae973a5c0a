/* What a model is writing right now, as a person reads it: the last words out of half an answer. */

const MOST_CHARACTERS = 160;
const FEWEST_CHARACTERS = 12;
const HALF_ESCAPE = /((?:^|[^\\])(?:\\\\)*)\\(u[0-9a-fA-F]{0,3})?$/;

/* Answers are JSON that is not complete yet, so it is read character by character. */
export class AnswerTail {
  #isInside = false;
  #isEscaped = false;
  #current = "";
  #sentence = "";

  /* The newest sentence so far, or "" while there is none. */
  write(text) {
    for (const character of text) {
      if (this.#isInside) this.#readInside(character);
      else this.#readOutside(character);
    }
    return shortened(this.#isInside && isSentence(this.#current) ? this.#current : this.#sentence);
  }

  #readInside(character) {
    if (character === '"' && !this.#isEscaped) {
      this.#isInside = false;
      return;
    }
    this.#isEscaped = character === "\\" && !this.#isEscaped;
    this.#current += character;
  }

  /* A colon after a string makes it a name; anything else makes it something that was said. */
  #readOutside(character) {
    if (character === '"') {
      this.#isInside = true;
      this.#current = "";
    } else if (character === ":") {
      this.#current = "";
    } else if (isSentence(this.#current)) {
      this.#sentence = this.#current;
    }
  }
}

function isSentence(text) {
  return text.length >= FEWEST_CHARACTERS && text.includes(" ");
}

function shortened(text) {
  const words = plain(text).replace(/\s+/g, " ");
  return words.length <= MOST_CHARACTERS ? words : `… ${words.slice(-MOST_CHARACTERS)}`;
}

function plain(text) {
  try {
    return JSON.parse(`"${text.replace(HALF_ESCAPE, "$1")}"`);
  } catch {
    return text;
  }
}
