// The polygon being edited: area, crossing check, corner list. No DOM here.
import MultiPolygon from "ol/geom/MultiPolygon.js";
import Polygon from "ol/geom/Polygon.js";
import { fromLonLat, toLonLat } from "ol/proj.js";
import { getArea } from "ol/sphere.js";

const M2_PER_MU = 2000 / 3; // the server's figure, on the ellipsoid, replaces this one on saving
const M2_PER_HA = 10000;

export function areaFigures(geometry) {
  const area = getArea(geometry, { projection: "EPSG:3857" });
  return { mu: (area / M2_PER_MU).toFixed(2), ha: (area / M2_PER_HA).toFixed(3) };
}

export function outerRing(geometry) {
  const rings = geometry instanceof MultiPolygon ? geometry.getCoordinates()[0] : geometry.getCoordinates();
  return rings[0].slice(0, -1);
}

export function isSimplePart(geometry) {
  return geometry instanceof Polygon && geometry.getLinearRingCount() === 1;
}

/** Corners as degrees with seven decimals, about one centimetre. */
export function cornersOf(geometry) {
  return outerRing(geometry).map((point) => toLonLat(point).map((value) => value.toFixed(7)));
}

/** The same geometry with another outer ring; holes and other parts stay. */
export function withCorners(geometry, corners) {
  const ring = corners.map(([lon, lat]) => fromLonLat([Number(lon), Number(lat)]));
  ring.push(ring[0]);
  if (geometry instanceof MultiPolygon) {
    const parts = geometry.getCoordinates();
    parts[0][0] = ring;
    return new MultiPolygon(parts);
  }
  return new Polygon([ring, ...(geometry?.getCoordinates().slice(1) ?? [])]);
}
