// GCJ-02 as a projection of its own: a base map in it is warped into place. Our data never is.
import gcoord from "gcoord";
import { addCoordinateTransforms, addProjection, get, Projection, toLonLat, fromLonLat } from "ol/proj.js";

export const GCJ02 = "TANHUI:GCJ02";

const mercator = get("EPSG:3857");
addProjection(new Projection({ code: GCJ02, extent: mercator.getExtent(), units: "m", global: true }));

function shift(from, to) {
  return (point) => fromLonLat(gcoord.transform(toLonLat(point), from, to));
}

addCoordinateTransforms("EPSG:3857", GCJ02, shift(gcoord.WGS84, gcoord.GCJ02), shift(gcoord.GCJ02, gcoord.WGS84));
