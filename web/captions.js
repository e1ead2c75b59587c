// The conversation as bubbles. A caption may change until it is final; then screen readers hear it.

const NAMES = { caller: "You", agent: "Agent" };

export class Captions {
  #list;
  #spoken;
  #bubbles = new Map();
  #following = true; // the newest words stay in sight, unless the reader has scrolled back
  #height = 0; // of the list, in CSS pixels, when it was last laid out

  /** `list` holds the bubbles, `spoken` is a live region for screen readers. */
  constructor(list, spoken) {
    this.#list = list;
    this.#spoken = spoken;
    list.addEventListener("scroll", () => {
      // A panel has just opened or closed: that is no scrolling back, and the observer comes next.
      if (list.clientHeight !== this.#height) return;
      this.#following = list.scrollHeight - list.clientHeight - list.scrollTop < 48;
    });
    new ResizeObserver(() => {
      this.#height = list.clientHeight;
      this.#scroll();
    }).observe(list);
  }

  /** Shows or changes a caption. A final one without words was not heard, and goes. */
  show({ who, id, text, final }) {
    const key = `${who} ${id}`;
    if (final && text === "") {
      this.#bubbles.get(key)?.remove();
      this.#bubbles.delete(key);
      return;
    }
    const bubble = this.#bubbles.get(key) ?? this.#add(key, who);
    bubble.classList.toggle("final", final);
    bubble.querySelector("q").textContent = text;
    if (final) this.#spoken.textContent = `${NAMES[who]}: ${text}`;
    this.#scroll();
  }

  /** A line of the page's own: how the call ended. */
  note(text) {
    const line = document.createElement("p");
    line.className = "note";
    line.textContent = text;
    this.#list.append(line);
    this.#spoken.textContent = text;
    this.#scroll();
  }

  clear() {
    this.#bubbles.clear();
    this.#following = true;
    this.#list.replaceChildren();
  }

  #add(key, who) {
    const bubble = document.createElement("p");
    bubble.className = `bubble ${who}`;
    const name = document.createElement("span");
    name.className = "hidden";
    name.textContent = `${NAMES[who]}: `;
    bubble.append(name, document.createElement("q"));
    this.#list.append(bubble);
    this.#bubbles.set(key, bubble);
    return bubble;
  }

  #scroll() {
    if (this.#following) this.#list.scrollTop = this.#list.scrollHeight;
  }
}
