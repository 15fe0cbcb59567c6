// [data-draw]: draw or mend one polygon; live area and divisions, snapping to and tracing neighbours,
// faults while drawing, undo, corner table; each point is kept in this browser until it is saved.
import Feature from "ol/Feature.js";
import { boundingExtent, createEmpty, extend } from "ol/extent.js";
import GeoJSON from "ol/format/GeoJSON.js";
import MultiPoint from "ol/geom/MultiPoint.js";
import Draw from "ol/interaction/Draw.js";
import Modify from "ol/interaction/Modify.js";
import Snap from "ol/interaction/Snap.js";
import VectorLayer from "ol/layer/Vector.js";
import VectorSource from "ol/source/Vector.js";
import { fromLonLat, toLonLat } from "ol/proj.js";
import { Circle, Fill, Stroke, Style } from "ol/style.js";
import { bboxSource, DATA, fit, makeMap, outlineLayer, ready, token, VIEW } from "./base.js";
import { Divisions } from "./divisions.js";
import { asked, Draft } from "./edit/draft.js";
import { traceNear } from "./edit/trace.js";
import { overlapAt, ringsOf, selfCrossings } from "./edit/topology.js";
import { areaFigures, cornersOf, isSimplePart, withCorners } from "./shape.js";
import { History } from "./history.js";
import { toneStyle } from "./styles.js";
import { tileLayer } from "./tiles.js";

const writer = new GeoJSON({ dataProjection: DATA, featureProjection: VIEW });
const COARSE = window.matchMedia("(pointer: coarse)").matches;
const SNAP_RESOLUTION = 6; // metres a pixel: nearer than this neighbours are shapes to snap to, not tiles
const TOLERANCE = COARSE ? 18 : 10; // pixels; a finger covers more

function sketchStyle() {
  const line = new Stroke({ color: token("clay"), width: 3 });
  return [
    new Style({ fill: new Fill({ color: "rgba(152, 80, 29, 0.14)" }), stroke: line }),
    new Style({
      image: new Circle({ radius: COARSE ? 9 : 6, fill: new Fill({ color: token("surface") }), stroke: line }),
      geometry: (feature) => {
        const geometry = feature.getGeometry();
        return geometry.getType() === "Polygon" ? new MultiPoint(geometry.getCoordinates().flat()) : geometry;
      },
    }),
  ];
}

class Editor {
  constructor(root) {
    this.root = root;
    this.words = JSON.parse(root.dataset.words ?? "{}");
    this.field = root.querySelector("[data-draw-field]");
    this.areaOut = root.querySelector("[data-draw-area]");
    this.warning = root.querySelector("[data-draw-warning]");
    this.points = root.querySelector("[data-draw-points]");
    this.history = new History();
    this.source = new VectorSource();
    this.draft = root.dataset.draftKey ? new Draft(root.dataset.draftKey) : null;
    this.tracing = true;
    this.drawing = false;
    this.form = root.closest("form");
    this.place = this.form?.elements[root.dataset.divisionField] ?? null;
    this.divisions = new Divisions(root, {
      words: this.words,
      here: root.querySelector("[data-division-here]"),
      whole: root.querySelector("[data-division-whole]"),
      onFound: (found) => this.propose(found),
    });
  }

  geometry() {
    return this.source.getFeatures()[0]?.getGeometry() ?? null;
  }

  start() {
    const { root, words } = this;
    const neighbours = root.dataset.neighbours ? bboxSource(root.dataset.neighbours, () => this.warn(words.failed)) : new VectorSource();
    const outline = root.dataset.outline ? outlineLayer(root.dataset.outline) : null;
    const tiles = root.dataset.neighbourTiles;
    const far = tiles ? [tileLayer(tiles, { legend: new Map(), tone: "neutral", minZoom: 13, minResolution: SNAP_RESOLUTION, onError: () => this.warn(words.failed) })] : [];
    this.map = makeMap({
      target: root.querySelector("[data-draw-map]"),
      basemap: root.dataset.basemap,
      words,
      layers: [
        ...(outline ? [outline.layer] : []),
        ...far,
        new VectorLayer({ source: neighbours, style: () => toneStyle("neutral"), maxResolution: tiles ? SNAP_RESOLUTION : undefined }),
        new VectorLayer({ source: this.source, style: sketchStyle() }),
      ],
    });
    this.neighbours = neighbours;
    neighbours.on("featuresloadend", () => !this.drawing && this.check(this.geometry()));
    this.addInteractions(neighbours);
    this.addButtons();
    this.divisions.watch(this.map);
    this.place?.addEventListener("change", () => { this.place.dataset.chosen = ""; });
    this.form?.elements.kind?.addEventListener?.("change", () => this.check(this.geometry()));
    this.points.addEventListener("change", () => this.readTable());
    this.points.addEventListener("click", (event) => this.removeRow(event));
    if (this.field.value) this.load(this.field.value);
    if (this.field.value && this.place) this.place.dataset.chosen = ""; // sent once: as a person left it
    this.remember(this.geometry());
    this.isReady = true;
    this.show();
    this.whenLoaded(outline);
  }

  async whenLoaded(outline) {
    await outline?.loaded;
    const own = this.geometry();
    if (own) fit(this.map, extend(createEmpty(), own.getExtent()), { maxZoom: 18, padding: 60 });
    else if (outline?.source.getFeatures().length) fit(this.map, outline.source.getExtent());
    this.map.once("rendercomplete", () => ready(this.root));
    this.map.render();
    if (!own) await this.restore();
  }

  /** What was drawn here before and never saved comes back when it is wanted. */
  async restore() {
    const kept = this.draft?.read();
    const dialog = this.root.querySelector("[data-draw-restore]");
    if (!kept || !dialog) return;
    if (!(await asked(dialog))) return this.draft.clear();
    if (kept.shape) this.replace(writer.readGeometry(kept.shape));
    const own = this.geometry();
    if (own) fit(this.map, extend(createEmpty(), own.getExtent()), { maxZoom: 18, padding: 60 });
    if (!kept.drawing.length) return;
    const points = kept.drawing.map((point) => fromLonLat(point));
    fit(this.map, boundingExtent(points), { maxZoom: 18, padding: 120 });
    this.setDrawing(true);
    this.draw.appendCoordinates(points);
  }

  keepDraft(drawing = []) {
    const geometry = this.geometry();
    if (geometry || drawing.length) this.draft?.keep({ shape: geometry && writer.writeGeometryObject(geometry, { decimals: 9 }), drawing });
    else this.draft?.clear();
  }

  /** Fill the form's division in, unless a person has chosen one. */
  propose({ levels }) {
    if (!this.place || "chosen" in this.place.dataset) return;
    const offered = new Set([...this.place.options].map((one) => one.value));
    const fits = levels.filter((one) => one.known !== "no_boundary" && offered.has(one.code)).at(-1);
    if (fits) this.place.value = fits.code;
  }

  load(text) {
    try {
      this.source.addFeature(new Feature(writer.readGeometry(JSON.parse(text))));
    } catch {
      this.field.value = ""; // not a geometry: the server has said so already
    }
  }

  addInteractions(neighbours) {
    this.modify = new Modify({ source: this.source, pixelTolerance: TOLERANCE });
    this.draw = new Draw({ type: "Polygon", stopClick: true, snapTolerance: TOLERANCE, style: sketchStyle(), traceSource: neighbours });
    traceNear(this.map, this.draw, neighbours, { isOn: () => this.tracing, tolerance: TOLERANCE });
    this.draw.setActive(false);
    this.map.addInteraction(this.modify);
    this.map.addInteraction(this.draw);
    // Snap comes last, so that the others get the snapped coordinate.
    for (const source of [neighbours, this.source]) this.map.addInteraction(new Snap({ source, pixelTolerance: TOLERANCE }));
    this.modify.on("modifyend", () => this.commit());
    this.draw.on("drawstart", (event) => {
      this.drawn = [];
      event.feature.getGeometry().on("change", ({ target }) => this.grow(target));
    });
    this.draw.on("drawend", (event) => {
      this.setDrawing(false);
      this.replace(event.feature.getGeometry());
    });
  }

  /** While it is being drawn: its area, its faults, and each new point kept. */
  grow(geometry) {
    if (!this.drawing) return;
    const points = geometry.getCoordinates()[0].slice(0, -2);
    this.showArea(geometry, points.length);
    this.check(geometry);
    if (points.length === this.drawn.length) return;
    this.drawn = points;
    this.keepDraft(points.map((point) => toLonLat(point)));
  }

  addButtons() {
    const actions = {
      draw: () => this.setDrawing(!this.drawing),
      finish: () => this.drawing && this.draw.finishDrawing(),
      undo: () => this.undo(),
      redo: () => this.redo(),
      trace: (button) => this.setTracing(button),
      clear: () => this.replace(null),
      "add-point": () => this.points.append(this.row(["", ""], this.points.rows.length)),
    };
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-draw-action]");
      if (button) actions[button.dataset.drawAction]?.(button);
    });
    this.root.querySelector("[data-draw-map]").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.setDrawing(false);
      if (event.key === "Enter" && this.drawing) this.draw.finishDrawing();
      const steps = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      const isRedo = steps && (key === "y" || (key === "z" && event.shiftKey));
      const isUndo = key === "backspace" || (steps && key === "z" && !event.shiftKey);
      if (!isRedo && !isUndo) return;
      event.preventDefault();
      if (isRedo) this.redo();
      else this.undo();
    });
  }

  setDrawing(on) {
    this.drawing = on;
    if (!on) this.draw.abortDrawing();
    this.draw.setActive(on);
    this.modify.setActive(!on);
    this.root.querySelector('[data-draw-action="draw"]').setAttribute("aria-pressed", String(on));
    this.root.classList.toggle("is-drawing", on);
    if (on) this.areaOut.textContent = this.words.drawing;
    else this.show();
  }

  undo() {
    if (this.drawing) {
      this.draw.removeLastPoint();
      return;
    }
    this.goTo(this.history.back());
  }

  redo() {
    if (!this.drawing) this.goTo(this.history.forward());
  }

  goTo(geometry) {
    if (geometry === undefined) return;
    this.put(geometry?.clone() ?? null);
    this.keepDraft();
  }

  setTracing(button) {
    this.tracing = !this.tracing;
    button.setAttribute("aria-pressed", String(this.tracing));
  }

  /** A new shape from any hand: kept for undo, shown, written to the form. */
  replace(geometry, { table = true } = {}) {
    this.put(geometry, { table });
    this.remember(geometry);
  }

  /** A copy, for the map goes on changing the shape it holds. */
  remember(geometry) {
    this.history.keep(geometry?.clone() ?? null);
    if (this.isReady) this.keepDraft();
  }

  commit() {
    this.remember(this.geometry());
    this.show();
  }

  put(geometry, { table = true } = {}) {
    this.source.clear();
    if (geometry) this.source.addFeature(new Feature(geometry));
    this.show({ table });
  }

  show({ table = true } = {}) {
    const geometry = this.geometry();
    this.field.value = geometry ? writer.writeGeometry(geometry, { decimals: 7, rightHanded: true }) : "";
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
    if (table) this.fillTable(geometry);
    if (geometry) this.showArea(geometry, cornersOf(geometry).length);
    else this.areaOut.textContent = this.words.none;
    this.check(geometry);
    this.divisions.show(geometry);
  }

  /** Say what is wrong with a shape, as far as it can be seen here; the server has the last word. */
  check(geometry) {
    const [crossed] = geometry ? selfCrossings(ringsOf(geometry)) : [];
    if (crossed) this.warn(this.words.crossing.replace("{a}", String(crossed.first)).replace("{b}", String(crossed.second)));
    else if (geometry && this.isTaken(geometry)) this.warn(this.words.overlap);
    else if (geometry && !isSimplePart(geometry)) this.warn(this.words.complex);
    else this.warning.hidden = true;
  }

  isTaken(geometry) {
    if (ringsOf(geometry)[0].length < 4) return false;
    const kind = this.form?.elements.kind?.value;
    const beside = this.neighbours.getFeaturesInExtent(geometry.getExtent());
    return beside.some((one) => (!kind || one.get("kind") === kind) && overlapAt(geometry, one.getGeometry()));
  }

  showArea(geometry, points) {
    const { mu, ha } = areaFigures(geometry);
    this.areaOut.textContent = this.words.area.replace("{mu}", mu).replace("{ha}", ha).replace("{points}", String(points));
  }

  warn(text) {
    if (this.warning.textContent !== text) this.warning.textContent = text;
    this.warning.hidden = false;
  }

  row([lon, lat], index) {
    const line = document.createElement("tr");
    const number = document.createElement("th");
    number.scope = "row";
    number.textContent = String(index + 1);
    line.append(number);
    for (const [name, value] of [["lon", lon], ["lat", lat]]) {
      const input = document.createElement("input");
      Object.assign(input, { className: "input input-num", inputMode: "decimal", value, autocomplete: "off" });
      input.setAttribute("aria-label", `${this.words[name]} ${index + 1}`);
      line.insertCell().append(input);
    }
    const remove = document.createElement("button");
    Object.assign(remove, { type: "button", className: "button button-quiet", textContent: this.words.remove });
    remove.dataset.removePoint = "";
    remove.setAttribute("aria-label", `${this.words.remove} ${index + 1}`);
    line.insertCell().append(remove);
    return line;
  }

  fillTable(geometry) {
    const corners = geometry ? cornersOf(geometry) : [];
    this.points.replaceChildren(...corners.map((corner, index) => this.row(corner, index)));
  }

  /** The table is a second hand on the same shape: three whole rows make a polygon. Its rows stay,
   * so that the keyboard does not lose its place. */
  readTable() {
    const rows = [...this.points.rows].map((line) => [...line.querySelectorAll("input")].map((input) => input.value.trim()));
    const whole = rows.filter(([lon, lat]) => lon !== "" && lat !== "" && Math.abs(Number(lon)) <= 180 && Math.abs(Number(lat)) <= 90);
    if (whole.length !== rows.length || whole.length < 3) return;
    const geometry = withCorners(this.geometry(), whole);
    this.replace(geometry, { table: false });
    fit(this.map, geometry.getExtent(), { maxZoom: 18, padding: 60 });
  }

  removeRow(event) {
    const button = event.target.closest("[data-remove-point]");
    if (!button) return;
    const index = button.closest("tr").rowIndex - 1;
    button.closest("tr").remove();
    const rest = [...this.points.rows].map((line) => [...line.querySelectorAll("input")].map((input) => input.value));
    this.points.replaceChildren(...rest.map((corner, at) => this.row(corner, at)));
    if (rest.length >= 3) this.readTable();
    else if (this.geometry()) this.replace(null, { table: false });
    this.points.rows[Math.min(index, rest.length - 1)]?.querySelector("button").focus();
  }
}

export function startDraw(root) {
  new Editor(root).start();
}
