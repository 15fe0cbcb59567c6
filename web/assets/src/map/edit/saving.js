// An edit as a request, and the server's answer in words.
const M2_PER_MU = 2000 / 3;

/** {path, method, body, headers}: one edit as the API takes it. Places are written to nine decimals. */
export function requestOf(state, { id, version, reason, isConfirmed = false, byAssessment = false }) {
  const confirmed = isConfirmed ? { division_confirmed: true } : {};
  const own = { parcel_id: id, version };
  const pair = () => [own, { parcel_id: state.neighbour.id, version: state.neighbour.version }];
  const based = { based_on_version: version, reason };
  switch (state.tool) {
    case "split": return { path: `/${id}/${byAssessment ? "split-by-assessment" : "split"}`, body: { ...based, ...confirmed, line: rounded(state.sketch) } };
    case "hole": return { path: `/${id}/holes`, body: { ...based, hole: rounded(state.sketch) } };
    case "trim": return { path: `/${id}/trim`, body: based };
    case "merge": return { path: "/merges", body: { parcels: pair(), reason, ...confirmed } };
    case "boundary": return { path: "/boundary-moves", body: { parcels: pair(), line: rounded(state.sketch), reason, ...confirmed } };
    default: return { path: `/${id}`, method: "PATCH", headers: { "If-Match": `"${version}"` }, body: { geojson: rounded(state.shape), attributes: null, reason, ...confirmed } };
  }
}

export function rounded({ type, coordinates }) {
  const deep = (value) => (Array.isArray(value) ? value.map(deep) : Number(value.toFixed(9)));
  return { type, coordinates: deep(coordinates) };
}

/** Send it; resolves to {ok, body}, body being the answer or the problem. */
export async function send(base, { path, method = "POST", body, headers = {} }, { key, csrf }) {
  const answer = await fetch(`${base}${path}`, {
    method,
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": key, "X-CSRFToken": csrf, ...headers },
    body: JSON.stringify(body),
  });
  return { ok: answer.ok, body: await answer.json() };
}

const mu = (m2) => (m2 / M2_PER_MU).toFixed(2);

/** What is to be told of a saved edit: the sentences, and the parcels to go to. */
export function told(body, { words, beforeM2 }) {
  const parcels = body.parcels ?? [body];
  const before = body.before_m2 ?? beforeM2;
  const after = parcels.reduce((sum, one) => sum + one.area_m2, 0);
  const lines = [words.saved.replace("{before}", mu(before)).replace("{after}", mu(after)).replace("{n}", String(parcels.length))];
  if (body.removed_m2 > 0.005) lines.push(words.removed.replace("{m2}", body.removed_m2.toFixed(2)));
  if (body.claims_moved?.length) lines.push(words.claims_moved.replace("{n}", String(body.claims_moved.length)));
  if (body.claims_to_review?.length) lines.push(words.claims_to_review.replace("{n}", String(body.claims_to_review.length)));
  const lost = (body.plots ?? []).filter((one) => one.parcel_id === null).length;
  if (lost) lines.push(words.plots_outside.replace("{n}", String(lost)));
  if (parcels.some((one) => one.status === "submitted")) lines.push(words.decided_again);
  return { lines, parcels: parcels.map((one) => ({ id: one.parcel_id, mu: mu(one.area_m2) })) };
}

/** A refusal as sentences: what is wrong, each field's fault, how to mend it. */
export function refused(problem, english) {
  const faults = (problem.errors ?? []).map((one) => (english ? one.en : one.zh));
  const [title, remedy] = english ? [problem.title_en, problem.remedy_en] : [problem.title, problem.remedy];
  return [title, ...faults, remedy].filter(Boolean);
}
