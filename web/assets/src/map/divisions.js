// In which divisions the pointer, or what is drawn, lies: asked of the server, said in words.
// What no boundary tells is said to be unknown.
import { toLonLat } from "ol/proj.js";
import { geojson } from "./base.js";

const WAIT = 250; // ms: the pointer rests before anybody is asked

export class Divisions {
  #timers = {};
  #asked = {};
  #last = {};

  /** root: the element with the addresses; words: see web/pages/map_words.py. */
  constructor(root, { words, here, whole, onFound }) {
    Object.assign(this, { root, words, here, whole, onFound });
  }

  /** Say where the pointer is while it moves over a map. */
  watch(map) {
    if (!this.here || !this.root.dataset.divisionAt) return;
    map.on("pointermove", ({ dragging, coordinate }) => {
      if (!dragging) this.#later("here", () => this.#point(toLonLat(coordinate)));
    });
  }

  /** Say in which divisions a geometry lies, or nothing without one. */
  show(geometry) {
    if (!this.whole || !this.root.dataset.divisionOf) return;
    if (!geometry) {
      this.#stop("whole");
      this.#tell(this.whole, "");
      return;
    }
    const drawn = geojson.writeGeometryObject(geometry, { decimals: 9, rightHanded: true });
    const key = JSON.stringify(drawn);
    if (key === this.#last.whole) return;
    this.#last.whole = key;
    this.#later("whole", () => this.#shape(drawn));
  }

  async #point([lon, lat]) {
    const found = await this.#ask("here", `${this.root.dataset.divisionAt}?lon=${lon.toFixed(6)}&lat=${lat.toFixed(6)}`);
    if (found) this.#tell(this.here, this.words.division_here.replace("{chain}", this.chain(found.levels)));
  }

  async #shape(drawn) {
    const found = await this.#ask("whole", this.root.dataset.divisionOf, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.root.dataset.csrf },
      body: JSON.stringify({ geojson: drawn }),
    });
    if (!found) return this.#tell(this.whole, "");
    const cut = found.shares.map((one) => `${one.name} ${(one.share * 100).toFixed(1)}%`).join("、");
    const chain = this.words.division_whole.replace("{chain}", this.chain(found.levels));
    this.#tell(this.whole, cut ? this.words.division_cut.replace("{shares}", cut) : chain, cut ? "bad" : "");
    this.onFound?.(found);
  }

  /** 浙江省 › 衢州市 › …; the levels that are not known are named, each with why. */
  chain(levels) {
    const known = levels.filter((one) => one.name).map((one) => one.name);
    const said = known.length ? [known.join(" › ")] : [];
    for (const why of ["outside", "no_boundary"]) {
      const names = levels.filter((one) => one.known === why).map((one) => this.words[`level_${one.level}`]);
      if (names.length) said.push(this.words[`division_${why}`].replace("{levels}", names.join("、")));
    }
    return said.join("；");
  }

  #tell(element, text, tone = "") {
    if (element.textContent !== text) element.textContent = text;
    element.dataset.tone = tone;
  }

  #stop(name) {
    clearTimeout(this.#timers[name]);
    this.#asked[name]?.abort();
    delete this.#last[name];
  }

  #later(name, act) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(act, WAIT);
  }

  /** The answer, or null: a newer question, no answer, or a shape that is faulty as yet. */
  async #ask(name, address, more = {}) {
    this.#asked[name]?.abort();
    const control = new AbortController();
    this.#asked[name] = control;
    try {
      const answer = await fetch(address, { credentials: "same-origin", signal: control.signal, ...more, headers: { Accept: "application/json", ...more.headers } });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }
}
