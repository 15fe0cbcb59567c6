// Faults of a shape that can be seen while it is drawn: sides that cross, ground that a neighbour
// holds. Plane coordinates; each fault names its place. The server has the last word.
import MultiLineString from "ol/geom/MultiLineString.js";

const NEAR = 0.05; // metres on the map: as near as this is the same line

const turn = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
const length = (a, b) => Math.hypot(b[0] - a[0], b[1] - a[1]);

/** Where two segments truly cross, or null where they only touch or lie along each other. */
export function crossing(a, b, c, d, near = NEAR) {
  if (Math.max(a[0], b[0]) < Math.min(c[0], d[0]) || Math.max(c[0], d[0]) < Math.min(a[0], b[0])) return null;
  if (Math.max(a[1], b[1]) < Math.min(c[1], d[1]) || Math.max(c[1], d[1]) < Math.min(a[1], b[1])) return null;
  const [own, other] = [length(a, b) || 1, length(c, d) || 1];
  const [c1, d1, a1, b1] = [turn(a, b, c) / own, turn(a, b, d) / own, turn(c, d, a) / other, turn(c, d, b) / other];
  if (c1 * d1 >= 0 || a1 * b1 >= 0) return null;
  if (Math.min(Math.abs(c1), Math.abs(d1)) < near || Math.min(Math.abs(a1), Math.abs(b1)) < near) return null;
  const share = a1 / (a1 - b1);
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
}

/** Crossings of the sides of rings and lines: {at, first, second}, sides counted from one. */
export function selfCrossings(rings, isOpen = false) {
  const sides = rings.flatMap((ring, path) =>
    ring.slice(0, -1).map((point, at) => ({ from: point, to: ring[at + 1], path, at, last: at === ring.length - 2 })));
  const found = [];
  for (let i = 0; i < sides.length; i += 1) {
    for (let j = i + 1; j < sides.length; j += 1) {
      const [one, two] = [sides[i], sides[j]];
      const adjoining = one.path === two.path && (two.at === one.at + 1 || (!isOpen && one.at === 0 && two.last));
      if (adjoining) continue;
      const at = crossing(one.from, one.to, two.from, two.to, 1e-6);
      if (at) found.push({ at, first: one.at + 1, second: two.at + 1 });
    }
  }
  return found;
}

/** Whether a point lies inside a geometry, farther than NEAR from its line. */
function isWithin(geometry, point) {
  if (!geometry.intersectsCoordinate(point)) return false;
  const onLine = lineOf(geometry).getClosestPoint(point);
  return length(point, onLine) > NEAR;
}

/** Where a polygon takes ground of a neighbour, or null. Both are OpenLayers geometries. */
export function overlapAt(own, neighbour) {
  for (const [a, b] of sidesOf(own)) {
    for (const [c, d] of sidesOf(neighbour)) {
      const at = crossing(a, b, c, d);
      if (at) return at;
    }
  }
  const inside = (outer, inner) => inner.getFlatCoordinates().length && pointsOf(inner).find((point) => isWithin(outer, point));
  return inside(neighbour, own) || inside(own, neighbour) || sameGround(own, neighbour);
}

/** All points of one lie on the other's line: then a point well inside tells. */
function sameGround(own, neighbour) {
  const middle = middleOf(own);
  return middle && isWithin(neighbour, middle) ? middle : null;
}

function middleOf(geometry) {
  const point = geometry.getType() === "MultiPolygon" ? geometry.getInteriorPoints().getFirstCoordinate() : geometry.getInteriorPoint().getCoordinates();
  return point?.slice(0, 2);
}

export function ringsOf(geometry) {
  return geometry.getType() === "MultiPolygon" ? geometry.getCoordinates().flat() : geometry.getCoordinates();
}

function sidesOf(geometry) {
  return ringsOf(geometry).flatMap((ring) => ring.slice(0, -1).map((point, at) => [point, ring[at + 1]]));
}

const pointsOf = (geometry) => ringsOf(geometry).flat();

const lines = new WeakMap();

/** The lines of a polygon, kept while it does not change. */
export function lineOf(geometry) {
  const revision = geometry.getRevision();
  const kept = lines.get(geometry);
  if (kept?.revision === revision) return kept.line;
  const line = new MultiLineString(ringsOf(geometry));
  lines.set(geometry, { revision, line });
  return line;
}
