// The map of the editor: the boundary and what is drawn over it, the parcels beside, snapping and tracing.
// It shows a state and tells of what the hand did; it keeps nothing itself.
import Feature from "ol/Feature.js";
import { createEmpty, extend } from "ol/extent.js";
import GeoJSON from "ol/format/GeoJSON.js";
import MultiPoint from "ol/geom/MultiPoint.js";
import Point from "ol/geom/Point.js";
import Draw from "ol/interaction/Draw.js";
import Modify from "ol/interaction/Modify.js";
import Snap from "ol/interaction/Snap.js";
import VectorLayer from "ol/layer/Vector.js";
import { fromLonLat, toLonLat } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import { Circle, Fill, RegularShape, Stroke, Style } from "ol/style.js";
import { bboxSource, DATA, fit, makeMap, token, VIEW } from "../base.js";
import { toneStyle } from "../styles.js";
import { tileLayer } from "../tiles.js";
import { traceNear } from "./trace.js";

export const format = new GeoJSON({ dataProjection: DATA, featureProjection: VIEW });
const COARSE = window.matchMedia("(pointer: coarse)").matches;
const TOLERANCE = COARSE ? 18 : 10; // pixels; a finger covers more
const SHAPES_RESOLUTION = 6; // metres a pixel: nearer than this neighbours are shapes to snap to, not tiles

const cornersOf = (geometry) => {
  const flat = (value) => (typeof value[0] === "number" ? [value] : value.flatMap(flat));
  return new MultiPoint(flat(geometry.getCoordinates()));
};

function outlineStyle(colour, { fill = null, dash = null } = {}) {
  const line = new Stroke({ color: token(colour), width: 3, lineDash: dash ?? undefined });
  const dot = new Circle({ radius: COARSE ? 9 : 5, fill: new Fill({ color: token("surface") }), stroke: new Stroke({ color: token(colour), width: 3 }) });
  return [
    new Style({ fill: fill ? new Fill({ color: fill }) : undefined, stroke: line }),
    new Style({ image: dot, geometry: (feature) => (feature.getGeometry() instanceof Point ? feature.getGeometry() : cornersOf(feature.getGeometry())) }),
  ];
}

const problemStyle = () => new Style({
  image: new RegularShape({ points: 4, angle: 0, radius: 11, radius2: 4, fill: new Fill({ color: token("tone-bad") }), stroke: new Stroke({ color: token("surface"), width: 2 }) }),
});

const markStyle = () => new Style({
  image: new Circle({ radius: COARSE ? 13 : 9, stroke: new Stroke({ color: token("focus"), width: 4 }) }),
});

export class Board {
  /** hands: onShape(geojson), onSketch(geojson), onDrawing(points, geometry), onNeighbour(id), onFailed(), onNeighbours() */
  constructor(target, { basemap, neighbours, tiles, ownId, words, hands }) {
    Object.assign(this, { hands, tracing: true, tool: null, drawing: null });
    this.shapes = new VectorSource();
    this.sketches = new VectorSource();
    this.problems = new VectorSource();
    this.marks = new VectorSource();
    this.neighbours = bboxSource(neighbours, hands.onFailed, (feature) => feature.getId() !== ownId);
    this.neighbours.on(["featuresloadend", "featuresloaderror"], () => {
      this.hasLoaded = true;
      hands.onNeighbours();
    });
    this.beside = new VectorLayer({ source: this.neighbours, maxResolution: SHAPES_RESOLUTION, style: (feature) => toneStyle("neutral", { active: feature.getId() === this.chosen }) });
    this.map = makeMap({
      target,
      basemap,
      words,
      layers: [
        tileLayer(tiles, { legend: new Map(), tone: "neutral", minZoom: 13, minResolution: SHAPES_RESOLUTION, onError: hands.onFailed }),
        this.beside,
        new VectorLayer({ source: this.shapes, style: outlineStyle("clay", { fill: "rgba(152, 80, 29, 0.14)" }) }),
        new VectorLayer({ source: this.sketches, style: outlineStyle("focus", { fill: "rgba(11, 79, 179, 0.12)", dash: [8, 5] }) }),
        new VectorLayer({ source: this.problems, style: problemStyle() }),
        new VectorLayer({ source: this.marks, style: markStyle() }),
      ],
    });
    this.#addHands();
  }

  #addHands() {
    this.reshape = new Modify({ source: this.shapes, pixelTolerance: TOLERANCE });
    this.resketch = new Modify({ source: this.sketches, pixelTolerance: TOLERANCE });
    for (const one of [this.reshape, this.resketch]) this.map.addInteraction(one);
    this.reshape.on("modifystart", () => this.#follow(this.shapes));
    this.reshape.on("modifyend", () => this.hands.onShape(written(this.shapes)));
    this.resketch.on("modifyend", () => this.hands.onSketch(written(this.sketches)));
    this.#snap();
    this.map.on("singleclick", (event) => {
      if (this.drawing || !this.picks) return;
      const hit = this.map.forEachFeatureAtPixel(event.pixel, (feature) => feature, { layerFilter: (layer) => layer === this.beside, hitTolerance: 4 });
      if (hit) this.hands.onNeighbour(hit.getId());
    });
  }

  /** Snap comes last, so that the others get the snapped coordinate. */
  #snap() {
    for (const one of this.snaps ?? []) this.map.removeInteraction(one);
    this.snaps = [this.neighbours, this.shapes, this.sketches].map((source) => new Snap({ source, pixelTolerance: TOLERANCE }));
    for (const one of this.snaps) this.map.addInteraction(one);
  }

  /** While a corner is dragged its shape is told of, too. */
  #follow(source) {
    const geometry = source.getFeatures()[0].getGeometry();
    const tell = () => this.hands.onDrag(geometry);
    geometry.on("change", tell);
    this.reshape.once("modifyend", () => geometry.un("change", tell));
  }

  show(state, { picks }) {
    put(this.shapes, state.shape);
    put(this.sketches, state.sketch);
    this.tool = state.tool;
    this.picks = picks;
    this.chosen = state.neighbour?.id ?? null;
    this.beside.changed();
    this.reshape.setActive(!this.drawing && state.tool === "modify");
    this.resketch.setActive(!this.drawing && state.sketch !== null);
  }

  /** Draw a line or ring; `points` (degrees) go on with one that was begun before. */
  draw(type, points = []) {
    this.stop();
    const draw = new Draw({ type, stopClick: true, snapTolerance: TOLERANCE, style: outlineStyle("focus", { fill: "rgba(11, 79, 179, 0.12)", dash: [8, 5] }), traceSource: this.neighbours });
    const untrace = traceNear(this.map, draw, this.neighbours, { isOn: () => this.tracing, tolerance: TOLERANCE });
    this.drawing = { untrace, draw, type, points: [], undone: [] };
    draw.on("drawstart", (event) => event.feature.getGeometry().on("change", ({ target }) => this.#drawn(target)));
    draw.on("drawend", (event) => {
      const made = written({ getFeatures: () => [event.feature] });
      this.stop();
      this.hands.onDrawn(made);
    });
    for (const one of [this.reshape, this.resketch]) one.setActive(false);
    this.map.addInteraction(draw);
    this.#snap();
    if (points.length) draw.appendCoordinates(points.map((point) => fromLonLat(point)));
  }

  #drawn(geometry) {
    if (!this.drawing) return;
    const all = geometry.getCoordinates();
    const points = this.drawing.type === "Polygon" ? all[0].slice(0, -2) : all.slice(0, -1);
    const isNew = points.length !== this.drawing.points.length;
    this.drawing.points = points.map((point) => toLonLat(point));
    this.hands.onDrawing(this.drawing.points, geometry, isNew);
  }

  finish() {
    this.drawing?.draw.finishDrawing();
  }

  stop() {
    if (!this.drawing) return;
    const { draw, untrace } = this.drawing;
    this.drawing = null;
    untrace();
    draw.abortDrawing();
    this.map.removeInteraction(draw);
  }

  /** One point back, or forth again, of what is being drawn; false where there is none. */
  drawnBack() {
    const { draw, points, undone } = this.drawing ?? {};
    if (!points?.length) return false;
    undone.push(points.at(-1));
    if (points.length === 1) this.drawing.points = [];
    draw.removeLastPoint();
    return true;
  }

  drawnForth() {
    const point = this.drawing?.undone.pop();
    if (!point) return false;
    this.drawing.draw.appendCoordinates([fromLonLat(point)]);
    return true;
  }

  /** Resolves when what is near has come; at once where the view is too wide for shapes. */
  besideLoaded() {
    if (this.map.getView().getResolution() > SHAPES_RESOLUTION || this.hasLoaded) return Promise.resolve();
    return new Promise((resolve) => this.neighbours.once(["featuresloadend", "featuresloaderror"], resolve));
  }

  markProblems(places) {
    this.problems.clear();
    this.problems.addFeatures(places.map((at) => new Feature(new Point(at))));
  }

  markPoint(point) {
    this.marks.clear();
    if (!point || point.includes(null)) return;
    const at = fromLonLat(point);
    this.marks.addFeature(new Feature(new Point(at)));
    const view = this.map.getView();
    const [west, south, east, north] = view.calculateExtent(this.map.getSize());
    if (at[0] < west || at[0] > east || at[1] < south || at[1] > north) view.setCenter(at);
  }

  lookAt(at) {
    this.map.getView().setCenter(at);
  }

  fitShape() {
    const box = extend(createEmpty(), this.shapes.getExtent());
    fit(this.map, box, { maxZoom: 18, padding: 80 });
  }
}

export const read = (geojson) => format.readGeometry(geojson);

function written(source) {
  return format.writeGeometryObject(source.getFeatures()[0].getGeometry(), { rightHanded: true });
}

function put(source, geojson) {
  source.clear();
  if (geojson) source.addFeature(new Feature(read(geojson)));
}
