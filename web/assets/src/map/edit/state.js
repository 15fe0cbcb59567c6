// An edit as a value: the boundary as it is now, or a line or hole drawn for one of the other edits.
// Coordinates are degrees as GeoJSON has them; a ring's last point, which repeats its first, is left
// out of the lists of points here. No DOM, no map.

/** Tools that draw something of their own, and what it is; the others change the boundary or need none. */
export const SKETCHES = { split: "LineString", boundary: "LineString", hole: "Polygon" };
export const NEEDS_NEIGHBOUR = new Set(["merge", "boundary"]);
export const RESHAPES = new Set(["modify", "redraw"]);

export function begin(shape) {
  return Object.freeze({ tool: "modify", shape, sketch: null, neighbour: null });
}

/** The state with another tool: what was drawn for the one before is left behind. */
export function withTool(state, tool) {
  const keeps = NEEDS_NEIGHBOUR.has(tool) && NEEDS_NEIGHBOUR.has(state.tool);
  return Object.freeze({ ...state, tool, sketch: null, neighbour: keeps ? state.neighbour : null });
}

export const withShape = (state, shape) => Object.freeze({ ...state, shape });
export const withSketch = (state, sketch) => Object.freeze({ ...state, sketch });
export const withNeighbour = (state, neighbour) => Object.freeze({ ...state, neighbour });

export function isReshaped(state, stored) {
  return JSON.stringify(state.shape.coordinates) !== JSON.stringify(stored.coordinates);
}

/** Whether there is something to save. */
export function isComplete(state, stored) {
  if (RESHAPES.has(state.tool)) return isReshaped(state, stored);
  if (state.tool in SKETCHES && !state.sketch) return false;
  return !NEEDS_NEIGHBOUR.has(state.tool) || state.neighbour !== null;
}

/** The rings or the line that the table may show: {key, kind, part, hole, points, least}. */
export function pathsOf(state) {
  const kind = SKETCHES[state.tool];
  if (kind) return [{ key: "sketch", kind: state.tool, points: sketchPoints(state.sketch), least: kind === "Polygon" ? 3 : 2 }];
  if (!RESHAPES.has(state.tool)) return [];
  return partsOf(state.shape).flatMap((rings, part) =>
    rings.map((ring, hole) => ({ key: `${part}.${hole}`, kind: hole ? "inner" : "outer", part, hole, points: ring.slice(0, -1), least: 3 })));
}

/** The state after a path got other points; a hole of fewer than three points is no more. */
export function withPath(state, key, points) {
  if (key === "sketch") return withSketch(state, points.length ? sketchOf(SKETCHES[state.tool], points) : null);
  const [part, hole] = key.split(".").map(Number);
  const parts = partsOf(state.shape).map((rings) => [...rings]);
  if (points.length < 3 && hole > 0) parts[part].splice(hole, 1);
  else parts[part][hole] = closed(points);
  const single = state.shape.type === "Polygon";
  return withShape(state, { type: state.shape.type, coordinates: single ? parts[0] : parts });
}

export const closed = (points) => [...points, points[0]];

export function sketchOf(type, points) {
  return { type, coordinates: type === "Polygon" ? [closed(points)] : points };
}

export function partsOf(shape) {
  return shape.type === "MultiPolygon" ? shape.coordinates : [shape.coordinates];
}

function sketchPoints(sketch) {
  if (!sketch) return [];
  return sketch.type === "Polygon" ? sketch.coordinates[0].slice(0, -1) : sketch.coordinates;
}
