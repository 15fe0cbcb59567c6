// The parcels beside: which touch, where they lie, and (asked when chosen) which version stands.
import { getCenter } from "ol/extent.js";
import { areaFigures } from "../shape.js";
import { ringsOf } from "./topology.js";

const TOUCH = 2; // metres on the map
const SIDES = ["east", "northeast", "north", "northwest", "west", "southwest", "south", "southeast"];

function nearest(geometry, points) {
  return Math.min(...points.map((point) => {
    const on = geometry.getClosestPoint(point);
    return Math.hypot(point[0] - on[0], point[1] - on[1]);
  }));
}

export function touches(own, other) {
  const reach = own.getExtent();
  const [west, south, east, north] = other.getExtent();
  if (west > reach[2] + TOUCH || east < reach[0] - TOUCH || south > reach[3] + TOUCH || north < reach[1] - TOUCH) return false;
  return nearest(own, ringsOf(other).flat()) < TOUCH || nearest(other, ringsOf(own).flat()) < TOUCH;
}

/** "east", "northwest" ...: where a neighbour lies, seen from the parcel's middle. */
export function sideOf(own, other) {
  const [a, b] = [getCenter(own.getExtent()), getCenter(other.getExtent())];
  const eighth = Math.round(Math.atan2(b[1] - a[1], b[0] - a[0]) / (Math.PI / 4));
  return SIDES[(eighth + 8) % 8];
}

/** Fill the list to choose a neighbour from, for who does not point at the map. */
export function fillList(select, own, features, { kind, words, chosen }) {
  const near = features.filter((one) => one.get("kind") === kind && touches(own, one.getGeometry()));
  const options = near.map((one) => {
    const text = words.neighbour.replace("{side}", words[sideOf(own, one.getGeometry())]).replace("{mu}", areaFigures(one.getGeometry()).mu);
    return new Option(text, one.getId(), false, one.getId() === chosen);
  });
  const first = new Option(near.length ? words.choose : words.no_neighbour, "", false, !chosen);
  select.replaceChildren(first, ...options);
}

/** The neighbour as its editor sees it; null where it is out of the editor's reach. */
export async function versionOf(address) {
  const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${answer.status} ${address}`);
  const { id, version, code } = await answer.json();
  return { id, version, code: code ?? id.slice(0, 8) };
}
