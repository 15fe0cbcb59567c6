// What was done, step by step, and back and forth over it. Values are frozen; no DOM, no map.
export class History {
  #steps = [];
  #at = -1;

  /** A new step; what was undone before it is gone. */
  keep(value) {
    this.#steps.length = this.#at + 1;
    this.#steps.push(value);
    this.#at += 1;
  }

  get canUndo() {
    return this.#at > 0;
  }

  get canRedo() {
    return this.#at < this.#steps.length - 1;
  }

  /** The value before, or undefined at the beginning. */
  back() {
    if (!this.canUndo) return undefined;
    this.#at -= 1;
    return this.#steps[this.#at];
  }

  /** The value after, or undefined at the end. */
  forward() {
    if (!this.canRedo) return undefined;
    this.#at += 1;
    return this.#steps[this.#at];
  }
}
