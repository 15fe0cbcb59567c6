// Tracing a neighbour's line, begun by a click on it, ends by itself where the pointer leaves the
// line: a click elsewhere is a point there, never one thrown back onto the line.
import { buffer, boundingExtent } from "ol/extent.js";
import { lineOf } from "./topology.js";

/** Let a drawing trace the shapes of a source; returns how to stop. */
export function traceNear(map, draw, source, { isOn, tolerance }) {
  const look = ({ coordinate }) => {
    // OpenLayers (locked in package.json) ends a trace by a click only, and has no public way else.
    if (!isNear(map, source, coordinate, tolerance)) draw.deactivateTrace_();
  };
  draw.setTrace(isOn);
  map.on(["pointermove", "pointerdown"], look);
  return () => map.un(["pointermove", "pointerdown"], look);
}

function isNear(map, source, [x, y], tolerance) {
  const reach = map.getView().getResolution() * tolerance * 2;
  const beside = source.getFeaturesInExtent(buffer(boundingExtent([[x, y]]), reach));
  return beside.some((one) => {
    const [nearX, nearY] = lineOf(one.getGeometry()).getClosestPoint([x, y]);
    return Math.hypot(nearX - x, nearY - y) <= reach;
  });
}
