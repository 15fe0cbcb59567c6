// What was drawn and not yet saved, kept in this browser point by point; asked about before it comes back.
export class Draft {
  #key;

  constructor(key) {
    this.#key = key;
  }

  keep(value) {
    try {
      window.localStorage.setItem(this.#key, JSON.stringify(value));
    } catch {
      // private windows and full stores keep nothing: the edit goes on
    }
  }

  read() {
    try {
      return JSON.parse(window.localStorage.getItem(this.#key) ?? "null");
    } catch {
      return null;
    }
  }

  clear() {
    try {
      window.localStorage.removeItem(this.#key);
    } catch {
      // nothing was kept
    }
  }
}

/** Ask in the page's own dialog; resolves to yes or no. Within another form its buttons cannot be a
 * form's own: those with data-answers close it here. */
export function asked(dialog) {
  dialog.returnValue = "";
  for (const button of dialog.querySelectorAll("[data-answers]")) button.onclick = () => dialog.close(button.value);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
