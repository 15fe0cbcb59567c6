// [data-map]: parcels by status with pattern and legend, a popup of properties, optional findings by row.
import Overlay from "ol/Overlay.js";
import { createEmpty, extend, isEmpty } from "ol/extent.js";
import Point from "ol/geom/Point.js";
import VectorLayer from "ol/layer/Vector.js";
import VectorSource from "ol/source/Vector.js";
import { Circle, Fill, Stroke, Style } from "ol/style.js";
import { bboxSource, fit, geojson, makeMap, MOTION_MS, outlineLayer, readFeatures, ready, token } from "./base.js";
import { dotStyle, paintSwatch, toneStyle } from "./styles.js";
import { countsOf, tileLayer } from "./tiles.js";

const LABEL_RESOLUTION = 6; // metres a pixel: nearer than this a parcel has room for its name
const FAR_RESOLUTION = 20; // farther than this a parcel is a few pixels: thin lines, no dashes
const DOT_LABEL_RESOLUTION = 0.25; // so near that neighbouring trees' numbers stand apart
const DOT_FAR_RESOLUTION = 1;
const DOT_ZOOM_MAX = 20; // a grove of trees a few metres apart fills the map
const SEVERITY_TONE = { refused: "bad", questioned: "warn", warning: "progress" };

/** Tone and word of each status, read from the legend the server wrote. */
function readLegend(frame) {
  const legend = new Map();
  for (const item of frame?.querySelectorAll("[data-map-legend] [data-status]") ?? []) {
    const badge = item.querySelector("[data-tone]");
    legend.set(item.dataset.status, { tone: badge.dataset.tone, word: badge.textContent.trim() });
    paintSwatch(item.querySelector("canvas"), badge.dataset.tone);
  }
  return legend;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text; // never as HTML: names come from files
  return made;
}

function popup(map, { fields, legend, words, labelField, linkField }) {
  const box = element("div", "map-popup");
  box.setAttribute("role", "status");
  const overlay = new Overlay({ element: box, positioning: "bottom-center", offset: [0, -10], stopEvent: true, autoPan: { margin: 16, animation: { duration: MOTION_MS } } });
  map.addOverlay(overlay);
  const open = (title, pairs, position, address) => {
    box.replaceChildren();
    const close = element("button", "map-popup-close", "×");
    close.type = "button";
    close.setAttribute("aria-label", words.close);
    close.addEventListener("click", () => overlay.setPosition(undefined));
    const list = element("dl");
    for (const [word, value] of pairs) list.append(element("dt", "", word), element("dd", "", String(value)));
    box.append(close, element("p", "map-popup-title", title), list);
    if (typeof address === "string" && address.startsWith("/") && !address.startsWith("//")) {
      const link = element("a", "button", words.open);
      link.href = address;
      box.append(link);
    }
    overlay.setPosition(position);
  };
  return {
    hide: () => overlay.setPosition(undefined),
    show(feature, position) {
      const status = legend.get(String(feature.get("status")));
      const pairs = status ? [[words.status, status.word]] : [];
      for (const [name, word] of fields) {
        const value = feature.get(name);
        if (value !== undefined && value !== null && value !== "") pairs.push([word, value]);
      }
      open(feature.get(labelField) || words.unnamed, pairs, position, linkField && feature.get(linkField));
    },
    showCell(cell, position) {
      const pairs = countsOf(cell).map(([status, count]) => [legend.get(status)?.word ?? status, count]);
      open(words.cell.replace("{n}", cell.get("parcels")), [...pairs, [words.nearer, ""]], position);
    },
  };
}

/** What a tile does not carry of a parcel is asked for when it is clicked. */
async function details(address, id) {
  const answer = await fetch(`${address}?id=${encodeURIComponent(id)}`, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  return geojson.readFeatures(await answer.json())[0];
}

function centreOf(feature) {
  const geometry = feature.getGeometry();
  if (geometry.getType() === "Polygon") return geometry.getInteriorPoint().getCoordinates().slice(0, 2);
  if (geometry.getType() === "MultiPolygon") return geometry.getInteriorPoints().getFirstCoordinate().slice(0, 2);
  return geometry.getClosestPoint(geometry.getFirstCoordinate());
}

/** Rows of the findings table and shapes on the map lead to each other. */
function linkRows({ map, source, selector, active, redraw }) {
  const table = selector && document.querySelector(selector);
  const rowOf = (row) => table?.querySelector(`[data-row="${CSS.escape(String(row))}"]`);
  const mark = (row) => {
    active.row = row;
    for (const old of table?.querySelectorAll(".is-active") ?? []) old.classList.remove("is-active");
    rowOf(row)?.classList.add("is-active");
    redraw();
  };
  table?.addEventListener("click", (event) => {
    const line = event.target.closest("[data-row]");
    if (!line) return;
    const shapes = source.getFeatures().filter((feature) => String(feature.get("row")) === line.dataset.row);
    mark(line.dataset.row);
    const extent = shapes.reduce((box, shape) => extend(box, shape.getGeometry().getExtent()), createEmpty());
    if (shapes.length && !isEmpty(extent)) {
      fit(map, extent, { maxZoom: 18, padding: 60 });
    } else if (shapes.length) {
      map.getView().setCenter(shapes[0].getGeometry().getFirstCoordinate());
      map.getView().setZoom(17);
    }
    map.getTargetElement().scrollIntoView({ block: "nearest" });
  });
  return (row) => {
    mark(String(row));
    rowOf(row)?.scrollIntoView({ block: "nearest" });
  };
}

function findingStyle(active) {
  return (feature) => {
    const tone = SEVERITY_TONE[feature.get("severity")] ?? "warn";
    const isActive = active.row !== null && String(feature.get("row")) === active.row;
    if (!(feature.getGeometry() instanceof Point)) return toneStyle(tone, { active: isActive });
    return new Style({
      image: new Circle({
        radius: isActive ? 10 : 7,
        fill: new Fill({ color: token(`tone-${tone}`) }),
        stroke: new Stroke({ color: isActive ? token("focus") : token("surface"), width: isActive ? 4 : 2 }),
      }),
      zIndex: isActive ? 20 : 5,
    });
  };
}

function say(target, text) {
  const line = target.querySelector("[data-map-message]");
  if (line) {
    line.textContent = text;
    line.hidden = false;
  }
}

export async function startViewer(target) {
  const data = target.dataset;
  const words = JSON.parse(data.words ?? "{}");
  const fields = JSON.parse(data.fields ?? "[]");
  const legend = readLegend(target.closest(".map-frame"));
  const labelField = data.labelField ?? "name";
  const active = { row: null };
  const failed = () => say(target, words.failed);

  const source = data.bbox === undefined || data.tiles ? new VectorSource() : bboxSource(data.src, failed);
  const shapes = new VectorLayer({
    source,
    declutter: true,
    style: (feature, resolution) => {
      const tone = legend.get(String(feature.get("status")))?.tone ?? "neutral";
      const isDot = feature.getGeometry() instanceof Point;
      const label = resolution < (isDot ? DOT_LABEL_RESOLUTION : LABEL_RESOLUTION) ? String(feature.get(labelField) ?? "") : "";
      if (isDot) return dotStyle(tone, { label, far: resolution > DOT_FAR_RESOLUTION });
      return toneStyle(tone, { label, far: resolution > FAR_RESOLUTION });
    },
  });
  const picked = { id: null };
  const tiles = data.tiles && tileLayer(data.tiles, { legend, active: picked, onError: failed, onLeftOut: (count) => say(target, words.left_out.replace("{n}", count)) });
  const parcels = tiles || shapes;
  const findings = new VectorSource();
  const findingLayer = new VectorLayer({ source: findings, style: findingStyle(active) });
  const outline = data.outline ? outlineLayer(data.outline) : null;
  const map = makeMap({ target, basemap: data.basemap, words, layers: [...(outline ? [outline.layer] : []), parcels, findingLayer] });
  const bubble = popup(map, { fields, legend, words, labelField, linkField: data.linkField });
  const showRow = linkRows({ map, source: findings, selector: data.findingsTable, active, redraw: () => findingLayer.changed() });

  const pick = async (feature, position) => {
    picked.id = feature?.getId() ?? null;
    tiles.changed();
    if (feature?.get("layer") === "cells") return bubble.showCell(feature, position);
    if (!feature) return;
    const asked = picked.id;
    bubble.show(feature, position);
    try {
      const whole = await details(data.src, asked);
      if (whole && picked.id === asked) bubble.show(whole, position);
    } catch {
      failed();
    }
  };
  map.on("singleclick", (event) => {
    const hit = map.forEachFeatureAtPixel(event.pixel, (feature, layer) => ({ feature, layer }), {
      hitTolerance: 6,
      layerFilter: (layer) => layer === parcels || layer === findingLayer,
    });
    if (tiles) pick(hit?.layer === tiles ? hit.feature : null, event.coordinate);
    if (!hit) return bubble.hide();
    if (hit.layer === findingLayer) showRow(hit.feature.get("row"));
    if (hit.layer !== tiles) bubble.show(hit.feature, centreOf(hit.feature));
  });
  map.on("pointermove", (event) => {
    const over = !event.dragging && map.hasFeatureAtPixel(event.pixel, { layerFilter: (layer) => layer === parcels || layer === findingLayer });
    map.getTargetElement().classList.toggle("is-over", over);
  });
  target.addEventListener("keydown", (event) => event.key === "Escape" && bubble.hide());

  const waits = [outline?.loaded];
  if (data.bbox === undefined && data.src && !tiles) waits.push(readFeatures(data.src).then((list) => source.addFeatures(list), failed));
  if (data.findings) waits.push(readFeatures(data.findings).then((list) => findings.addFeatures(list.filter((one) => one.getGeometry())), failed));
  await Promise.all(waits);

  const own = [source, findings].filter((one) => one.getFeatures().length).map((one) => one.getExtent());
  const hasDots = source.getFeatures().some((one) => one.getGeometry() instanceof Point);
  if (own.length) fit(map, own.reduce((box, next) => extend(box, next), createEmpty()), hasDots ? { maxZoom: DOT_ZOOM_MAX } : undefined);
  else if (outline?.source.getFeatures().length) fit(map, outline.source.getExtent());
  map.once("rendercomplete", () => ready(target));
  map.render();
}
