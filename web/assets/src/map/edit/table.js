// The table of points: the second hand on the same shape, by keyboard alone. It tells of whole lists
// only; a row that is not filled in yet stays here.
const DECIMALS = 7; // about one centimetre

const shown = (value) => (value === null ? "" : value.toFixed(DECIMALS));

export class PointTable {
  #points = [];
  #key = null;

  constructor(root, { words, onPoints, onRow }) {
    Object.assign(this, { words, onPoints, onRow });
    this.body = root.querySelector("[data-edit-points]");
    this.fault = root.querySelector("[data-edit-table-fault]");
    this.body.addEventListener("change", (event) => this.#read(event.target));
    this.body.addEventListener("click", (event) => this.#clicked(event));
    this.body.addEventListener("keydown", (event) => this.#move(event));
    this.body.addEventListener("focusin", (event) => this.onRow?.(this.#at(event.target)));
    root.querySelector('[data-edit-action="add-point"]').addEventListener("click", () => this.insert(this.#points.length - 1));
  }

  /** Show a path's points; the same number of rows keeps the keyboard where it is. */
  show(key, points, { least }) {
    const same = key === this.#key && points.length === this.#points.length;
    Object.assign(this, { least });
    this.#key = key;
    this.#points = points.map((point) => [...point.slice(0, 2)]);
    this.#tell("");
    if (!same) {
      this.body.replaceChildren(...this.#points.map((_point, at) => this.#row(at)));
      return;
    }
    this.#points.forEach((point, at) => this.#inputs(at).forEach((input, side) => {
      if (input !== document.activeElement || Number(input.value) !== point[side]) input.value = shown(point[side]);
      input.removeAttribute("aria-invalid");
    }));
  }

  /** An empty row after one; it becomes a point when both its fields are filled. */
  insert(after) {
    this.#points.splice(after + 1, 0, [null, null]);
    this.#redraw(after + 1, 0);
  }

  mark(at) {
    for (const [index, line] of [...this.body.rows].entries()) line.classList.toggle("is-active", index === at);
    if (at !== null && at >= 0) this.body.rows[at]?.scrollIntoView({ block: "nearest" });
  }

  #redraw(at, side) {
    this.body.replaceChildren(...this.#points.map((_point, index) => this.#row(index)));
    this.#inputs(Math.max(0, Math.min(at, this.#points.length - 1)))[side]?.focus();
  }

  #row(at) {
    const line = document.createElement("tr");
    const number = document.createElement("th");
    Object.assign(number, { scope: "row", textContent: String(at + 1) });
    line.append(number);
    for (const [side, name] of ["lon", "lat"].entries()) {
      const input = document.createElement("input");
      Object.assign(input, { className: "input input-num", inputMode: "decimal", autocomplete: "off", value: shown(this.#points[at][side]) });
      input.setAttribute("aria-label", `${this.words[name]} ${at + 1}`);
      line.insertCell().append(input);
    }
    const acts = line.insertCell();
    acts.className = "points-acts";
    acts.append(this.#button("insert", "+", at), this.#button("remove", "×", at));
    return line;
  }

  #button(act, sign, at) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button button-quiet", textContent: sign, title: this.words[act] });
    button.dataset.pointAct = act;
    button.setAttribute("aria-label", `${this.words[act]} ${at + 1}`);
    return button;
  }

  #inputs(at) {
    return [...(this.body.rows[at]?.querySelectorAll("input") ?? [])];
  }

  #at(element) {
    return element.closest("tr").sectionRowIndex;
  }

  #read(input) {
    const at = this.#at(input);
    const side = this.#inputs(at).indexOf(input);
    const text = input.value.trim().replace("，", ".").replace(",", ".");
    const value = Number(text);
    const most = side === 0 ? 180 : 90;
    const bad = text !== "" && !(Number.isFinite(value) && Math.abs(value) <= most);
    input.toggleAttribute("aria-invalid", false);
    if (bad) {
      input.setAttribute("aria-invalid", "true");
      this.#tell(this.words.bad_degree.replace("{row}", String(at + 1)).replaceAll("{most}", String(most)));
      return;
    }
    this.#points[at][side] = text === "" ? null : value;
    this.#say();
  }

  /** Tell of the list if it is whole, else of the first row that is not. */
  #say() {
    const open = this.#points.findIndex((point) => point.includes(null));
    if (open >= 0) return this.#tell(this.words.row_open.replace("{row}", String(open + 1)));
    this.#tell(this.#points.length < this.least ? this.words.too_few.replace("{least}", String(this.least)) : "");
    this.onPoints(this.#key, this.#points.map((point) => [...point]));
  }

  #clicked(event) {
    const button = event.target.closest("[data-point-act]");
    if (!button) return;
    const at = this.#at(button);
    if (button.dataset.pointAct === "insert") return this.insert(at);
    this.#points.splice(at, 1);
    this.#redraw(at, 0);
    this.#say();
  }

  #move(event) {
    const input = event.target.closest("input");
    const step = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!input || !step) return;
    event.preventDefault();
    const [at, side] = [this.#at(input), this.#inputs(this.#at(input)).indexOf(input)];
    const next = this.#inputs(at + step)[side];
    if (next) return next.focus();
    if (event.key !== "Enter") return;
    this.#read(input);
    this.insert(at);
  }

  #tell(text) {
    this.fault.textContent = text;
  }
}
