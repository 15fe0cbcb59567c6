// What every map shares: the grid, the outline, the scale bar, an optional base map, reading GeoJSON.
import OlMap from "ol/Map.js";
import View from "ol/View.js";
import { defaults as defaultControls } from "ol/control/defaults.js";
import ScaleLine from "ol/control/ScaleLine.js";
import { boundingExtent } from "ol/extent.js";
import GeoJSON from "ol/format/GeoJSON.js";
import { defaults as defaultInteractions } from "ol/interaction/defaults.js";
import Graticule from "ol/layer/Graticule.js";
import TileLayer from "ol/layer/Tile.js";
import VectorLayer from "ol/layer/Vector.js";
import { transformExtent } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import XYZ from "ol/source/XYZ.js";
import { bbox as bboxStrategy } from "ol/loadingstrategy.js";
import { Fill, Stroke, Style, Text } from "ol/style.js";
import { GCJ02 } from "./gcj02.js";

export const VIEW = "EPSG:3857";
export const DATA = "EPSG:4326"; // CGCS2000 longitude and latitude are read as they are: 4490 differs by millimetres
const CHINA = transformExtent([73, 18, 135, 54], DATA, VIEW);
export const MOTION_MS = window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 250; // a step of zoom
export const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

export const geojson = new GeoJSON({ dataProjection: DATA, featureProjection: VIEW });

/** The page's own colours, so that high contrast reaches the canvas too. */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export async function readFeatures(address, signal) {
  const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "application/geo+json, application/json" }, signal });
  if (!answer.ok) throw new Error(`${answer.status} ${address}`);
  return geojson.readFeatures(await answer.json());
}

/** A source that asks again with ?bbox= as the view moves; features keep their id, so none comes twice. */
export function bboxSource(address, onError, keeps = () => true) {
  const source = new VectorSource({
    strategy: bboxStrategy,
    // The source adds what the promise brings, and tells of the end or the failure itself.
    loader: async (extent) => {
      const box = transformExtent(extent, VIEW, DATA).map((value) => value.toFixed(7)).join(",");
      try {
        return (await readFeatures(`${address}${address.includes("?") ? "&" : "?"}bbox=${box}`)).filter(keeps);
      } catch (error) {
        source.removeLoadedExtent(extent);
        onError?.();
        throw error;
      }
    },
  });
  return source;
}

function graticule() {
  const label = (value) => `${Math.abs(value).toFixed(3)}°`;
  const text = (place) => new Text({ ...place, font: `12px ${FONT}`, fill: new Fill({ color: token("ink-soft") }), stroke: new Stroke({ color: token("surface"), width: 3 }) });
  return new Graticule({
    showLabels: true,
    wrapX: false,
    targetSize: 140,
    intervals: [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001],
    strokeStyle: new Stroke({ color: token("line"), width: 1 }),
    lonLabelFormatter: label,
    latLabelFormatter: label,
    lonLabelStyle: text({ textBaseline: "bottom", offsetY: -3 }),
    latLabelStyle: text({ textAlign: "end", offsetX: -4 }),
  });
}

export function outlineLayer(address) {
  const source = new VectorSource();
  const layer = new VectorLayer({
    source,
    declutter: true,
    style: (feature) => [
      new Style({ stroke: new Stroke({ color: token("surface"), width: 5 }) }),
      new Style({
        stroke: new Stroke({ color: token("ink-soft"), width: 1.5, lineDash: [10, 4, 2, 4] }),
        text: new Text({ text: String(feature.get("name") ?? ""), font: `600 14px ${FONT}`, overflow: false, fill: new Fill({ color: token("ink-soft") }), stroke: new Stroke({ color: token("surface"), width: 3 }) }),
      }),
    ],
  });
  const loaded = readFeatures(address).then((features) => source.addFeatures(features), () => {});
  return { layer, source, loaded };
}

function baseLayer(settings) {
  const { url, crs = VIEW, credit } = settings;
  return new TileLayer({ source: new XYZ({ url, projection: crs === "GCJ02" ? GCJ02 : crs, attributions: credit, maxZoom: settings.maxZoom ?? 18 }) });
}

/** Make the map; without a base map the ground is paper and a grid, which needs no network. */
export function makeMap({ target, basemap, words, layers }) {
  const under = basemap ? [baseLayer(JSON.parse(basemap))] : [graticule()];
  const map = new OlMap({
    target,
    layers: [...under, ...layers],
    controls: defaultControls({
      attribution: Boolean(basemap),
      rotate: false,
      zoomOptions: { duration: MOTION_MS, zoomInTipLabel: words.zoom_in ?? "+", zoomOutTipLabel: words.zoom_out ?? "-" },
    }).extend([new ScaleLine({ units: "metric", minWidth: 80 })]),
    interactions: defaultInteractions({ zoomDuration: MOTION_MS }),
    view: new View({ projection: VIEW, center: [(CHINA[0] + CHINA[2]) / 2, (CHINA[1] + CHINA[3]) / 2], zoom: 4, maxZoom: 20, enableRotation: false }),
  });
  map.on("loadstart", () => target.setAttribute("aria-busy", "true"));
  map.on("loadend", () => target.removeAttribute("aria-busy"));
  target.tabIndex = 0; // arrow keys and + - move the map
  return map;
}

export function fit(map, extent, { maxZoom = 17, padding = 32 } = {}) {
  if (extent.every(Number.isFinite)) map.getView().fit(extent, { padding: [padding, padding, padding, padding], maxZoom });
}

/** Zoom to longitude and latitude corners. */
export function fitDegrees(map, west, south, east, north) {
  fit(map, transformExtent(boundingExtent([[west, south], [east, north]]), DATA, VIEW));
}

export function ready(element) {
  element.dataset.ready = "true";
  window.tanhuiMapReady = true;
}
