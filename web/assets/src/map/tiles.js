// Parcels as vector tiles: plots near, cells with their number far off; the page never holds them all.
import MVT from "ol/format/MVT.js";
import VectorTileLayer from "ol/layer/VectorTile.js";
import VectorTileSource from "ol/source/VectorTile.js";
import { createXYZ } from "ol/tilegrid.js";
import { toneStyle } from "./styles.js";

const COUNTED = { draft: "draft", submitted: "submitted", approved: "approved", returned: "returned_for_change" };
const TILE_SIZE = 512; // pixels; a cell is 32 of them
const NAME_RESOLUTION = 6; // metres a pixel: nearer than this a parcel has room for its name
const THIN_RESOLUTION = 14;
const WORLD = 40075016.685578488; // metres round the equator on the web map

/** The state most of a cell's parcels are in; a public cell holds approved ones only. */
export function mainStatus(cell) {
  const found = Object.keys(COUNTED).filter((name) => cell.get(name));
  if (!found.length) return "approved";
  return COUNTED[found.reduce((most, name) => (cell.get(name) > cell.get(most) ? name : most))];
}

/** [status, how many] of a cell, as the legend names them. */
export function countsOf(cell) {
  return Object.entries(COUNTED).filter(([name]) => cell.get(name)).map(([name, status]) => [status, cell.get(name)]);
}

export function tileLayer(address, { legend, active = { id: null }, onError, onLeftOut, minZoom = 0, maxZoom = 16, tone = null, minResolution }) {
  const source = new VectorTileSource({
    format: new MVT({ idProperty: "id", layers: ["parcels", "cells", "left_out"] }),
    tileGrid: createXYZ({ minZoom, maxZoom, tileSize: TILE_SIZE }),
    url: address,
  });
  source.on("tileloaderror", () => onError?.());
  const toneOf = (status) => tone ?? legend.get(status)?.tone ?? "neutral";
  return new VectorTileLayer({
    source,
    declutter: true,
    minResolution,
    // Where a layer has no tiles yet, the nearest would be asked for by the thousand.
    maxResolution: minZoom > 0 ? WORLD / TILE_SIZE / 2 ** (minZoom - 1) : undefined,
    style: (feature, resolution) => {
      const kind = feature.get("layer");
      if (kind === "left_out") return onLeftOut?.(feature.get("parcels"));
      if (kind === "cells") return toneStyle(toneOf(mainStatus(feature)), { label: String(feature.get("parcels")), far: true });
      const label = !tone && resolution < NAME_RESOLUTION ? String(feature.get("name") ?? "") : "";
      const isActive = active.id !== null && feature.getId() === active.id;
      return toneStyle(toneOf(String(feature.get("status"))), { label, active: isActive, far: resolution > THIN_RESOLUTION });
    },
  });
}
