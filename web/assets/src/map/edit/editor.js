// [data-edit]: the editor of a stored boundary. Map, table and keyboard act on one state (state.js);
// each step is kept for undo and in this browser, and saved by one request.
import { ready } from "../base.js";
import { History } from "../history.js";
import { Divisions } from "../divisions.js";
import { areaFigures } from "../shape.js";
import { Board, read } from "./board.js";
import { asked, Draft } from "./draft.js";
import { fillList, versionOf } from "./neighbours.js";
import { refused, requestOf, send, told } from "./saving.js";
import { begin, isComplete, isReshaped, NEEDS_NEIGHBOUR, pathsOf, RESHAPES, SKETCHES, withNeighbour, withPath, withShape, withSketch, withTool } from "./state.js";
import { PointTable } from "./table.js";
import { overlapAt, ringsOf, selfCrossings } from "./topology.js";

const ASKS_DIVISION = new Set(["PARCEL_OUTSIDE_DIVISION", "PARCEL_STRADDLES_DIVISION"]);

class BoundaryEditor {
  constructor(root) {
    this.root = root;
    this.words = JSON.parse(root.dataset.words);
    this.parcel = JSON.parse(root.dataset.parcel); // {id, version, kind, area_m2, geometry}
    this.part = (name) => root.querySelector(`[data-edit-${name}]`);
    this.draft = new Draft(root.dataset.draftKey);
    this.history = new History();
    this.path = null;
  }

  async start() {
    const { root, words, parcel } = this;
    this.board = new Board(this.part("map"), {
      basemap: root.dataset.basemap,
      neighbours: root.dataset.neighbours,
      tiles: root.dataset.neighbourTiles,
      ownId: parcel.id,
      words,
      hands: {
        onShape: (shape) => this.commit(withShape(this.state, shape)),
        onSketch: (sketch) => this.commit(withSketch(this.state, sketch)),
        onDrag: (geometry) => this.look(geometry),
        onDrawing: (points, geometry, isNew) => this.drawing(points, geometry, isNew),
        onDrawn: (made) => this.drawn(made),
        onNeighbour: (id) => this.choose(id),
        onNeighbours: () => this.besides(),
        onFailed: () => this.say("failed", words.failed),
      },
    });
    this.divisions = new Divisions(root, {
      words,
      here: root.querySelector("[data-division-here]"),
      whole: root.querySelector("[data-division-whole]"),
    });
    this.divisions.watch(this.board.map);
    this.table = new PointTable(root, { words, onPoints: (key, points) => this.typed(key, points), onRow: (at) => this.pointed(at) });
    this.state = begin(parcel.geometry);
    this.history.keep(this.state);
    this.render();
    this.board.fitShape();
    this.listen();
    this.say("", words.how_modify);
    this.board.map.once("rendercomplete", () => this.board.besideLoaded().then(() => ready(root)));
    this.board.map.render();
    await this.restore();
  }

  listen() {
    const acts = {
      undo: () => this.undo(),
      redo: () => this.redo(),
      finish: () => this.board.finish(),
      fit: () => this.board.fitShape(),
      trace: (button) => this.setTracing(button),
      save: () => this.save(),
    };
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-edit-tool], [data-edit-action], [data-edit-look]");
      if (!button) return;
      if (button.dataset.editTool) this.setTool(button.dataset.editTool);
      else if (button.dataset.editLook) this.board.lookAt(JSON.parse(button.dataset.editLook));
      else acts[button.dataset.editAction]?.(button);
    });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.part("path").addEventListener("change", ({ target }) => {
      this.path = target.value;
      this.renderTable();
    });
    this.part("neighbour").addEventListener("change", ({ target }) => this.choose(target.value));
  }

  key(event) {
    const typing = event.target.closest("input, textarea, select");
    const undoes = (event.ctrlKey || event.metaKey) && !typing;
    const name = event.key.toLowerCase();
    if (undoes && name === "z" && !event.shiftKey) this.undo();
    else if (undoes && (name === "y" || (name === "z" && event.shiftKey))) this.redo();
    else if (!typing && this.board.drawing && name === "escape") this.cancelDrawing();
    else if (event.target === this.part("map") && this.board.drawing && name === "enter") this.board.finish();
    else return;
    event.preventDefault();
  }

  setTracing(button) {
    this.board.tracing = !this.board.tracing;
    button.setAttribute("aria-pressed", String(this.board.tracing));
  }

  setTool(tool) {
    if (!RESHAPES.has(tool) && isReshaped(this.state, this.parcel.geometry)) {
      this.say("bad", this.words.save_first);
      return;
    }
    this.board.stop();
    if (tool !== this.state.tool) this.commit(withTool(this.state, tool));
    this.begin();
  }

  /** Begin to draw where the tool draws; `points` were drawn before a reload. */
  begin(points = []) {
    const type = this.state.tool === "redraw" ? "Polygon" : SKETCHES[this.state.tool];
    if (type && !this.state.sketch) this.board.draw(type, points);
    this.say("", this.words[`how_${this.state.tool}`]);
    this.renderTools();
  }

  cancelDrawing() {
    this.board.stop();
    if (this.state.tool === "redraw") this.state = withTool(this.state, "modify");
    this.keepDraft();
    this.render();
  }

  drawing(points, geometry, isNew) {
    this.look(geometry, { isDrawing: true });
    if (isNew) this.keepDraft(points);
  }

  drawn(made) {
    const isShape = this.state.tool === "redraw";
    this.commit(isShape ? withShape(withTool(this.state, "modify"), made) : withSketch(this.state, made));
  }

  typed(key, points) {
    const path = pathsOf(this.state).find((one) => one.key === key);
    this.board.stop();
    if (points.length >= path.least || (path.kind === "inner" && points.length === 0)) this.commit(withPath(this.state, key, points), { fromTable: true });
    else this.keepDraft(points);
  }

  pointed(at) {
    this.table.mark(at);
    this.board.markPoint(pathsOf(this.state).find((one) => one.key === this.path)?.points[at]);
  }

  async choose(id) {
    if (!id) return this.commit(withNeighbour(this.state, null));
    try {
      const found = await versionOf(`${this.root.dataset.api}/${id}`);
      if (!found) return this.say("bad", this.words.out_of_reach);
      this.commit(withNeighbour(this.state, found));
      this.say("", this.words.chosen.replace("{code}", found.code));
    } catch {
      this.say("bad", this.words.failed);
    }
  }

  /** The parcels beside have come: their list, and faults against them. */
  besides() {
    fillList(this.part("neighbour"), read(this.state.shape), this.board.neighbours.getFeatures(), { kind: this.parcel.kind, words: this.words, chosen: this.state.neighbour?.id });
    this.look();
  }

  commit(state, { fromTable = false } = {}) {
    this.state = state;
    this.history.keep(state);
    this.keepDraft();
    this.render({ fromTable });
  }

  undo() {
    if (this.board.drawnBack()) return;
    this.goTo(this.history.back());
  }

  redo() {
    if (this.board.drawnForth()) return;
    this.goTo(this.history.forward());
  }

  goTo(state) {
    if (!state) return;
    this.board.stop();
    this.state = state;
    this.keepDraft();
    this.render();
  }

  keepDraft(drawing = []) {
    const isDrawn = this.state.tool !== "trim" && isComplete(this.state, this.parcel.geometry);
    if (isDrawn || drawing.length) this.draft.keep({ version: this.parcel.version, state: this.state, drawing });
    else this.draft.clear();
  }

  async restore() {
    const kept = this.draft.read();
    if (!kept) return;
    const dialog = this.part("restore");
    const older = dialog.querySelector("[data-edit-older]");
    older.hidden = kept.version === this.parcel.version;
    if (!(await asked(dialog))) return this.draft.clear();
    this.commit(Object.freeze(kept.state));
    if (!kept.drawing.length) return;
    this.keepDraft(kept.drawing);
    this.begin(kept.drawing);
  }

  render({ fromTable = false } = {}) {
    this.board.show(this.state, { picks: NEEDS_NEIGHBOUR.has(this.state.tool) });
    this.renderTools();
    if (!fromTable) this.renderTable();
    this.divisions.show(read(this.state.shape));
    this.besides();
  }

  renderTools() {
    for (const button of this.root.querySelectorAll("[data-edit-tool]")) button.setAttribute("aria-pressed", String(button.dataset.editTool === this.state.tool));
    const drawing = Boolean(this.board.drawing);
    this.root.classList.toggle("is-drawing", drawing);
    this.root.querySelector('[data-edit-action="undo"]').disabled = !drawing && !this.history.canUndo;
    this.root.querySelector('[data-edit-action="redo"]').disabled = !drawing && !this.history.canRedo;
    this.root.querySelector('[data-edit-action="finish"]').hidden = !drawing;
    this.part("beside").hidden = !NEEDS_NEIGHBOUR.has(this.state.tool);
    this.root.querySelector('[data-edit-action="save"]').disabled = !isComplete(this.state, this.parcel.geometry);
  }

  renderTable() {
    const paths = pathsOf(this.state);
    const chosen = paths.find((one) => one.key === this.path) ?? paths[0];
    this.path = chosen?.key ?? null;
    const several = paths.some((one) => one.part > 0);
    const named = (one) => (several ? `${this.words.part.replace("{n}", String(one.part + 1))} ` : "") + this.words[`path_${one.kind}`].replace("{n}", String(one.hole));
    this.part("path").replaceChildren(...paths.map((one) => new Option(named(one), one.key, false, one === chosen)));
    this.part("coordinates").hidden = !chosen;
    this.board.markPoint(null);
    if (chosen) this.table.show(chosen.key, chosen.points, chosen);
  }

  /** Area and faults of what stands there now, or of what the hand is just drawing. */
  look(moving = null, { isDrawing = false } = {}) {
    const sketch = isDrawing && this.state.tool !== "redraw" ? moving : this.state.sketch && read(this.state.sketch);
    const shape = moving && sketch !== moving ? moving : read(this.state.shape);
    this.renderArea(shape, sketch);
    this.renderProblems(this.problemsOf(shape, sketch, isDrawing));
  }

  renderArea(shape, sketch) {
    const { mu, ha } = areaFigures(shape);
    const hole = this.state.tool === "hole" && sketch ? areaFigures(sketch).mu : null;
    const text = this.words.area.replace("{mu}", mu).replace("{ha}", ha) + (hole ? this.words.area_hole.replace("{mu}", hole) : "");
    if (this.part("area").textContent !== text) this.part("area").textContent = text;
  }

  problemsOf(shape, sketch, isDrawing) {
    const { words } = this;
    const crossed = words.crossing;
    const said = (one) => ({ at: one.at, text: crossed.replace("{a}", String(one.first)).replace("{b}", String(one.second)) });
    if (sketch) {
      const rings = sketch.getType() === "Polygon" ? sketch.getCoordinates() : [sketch.getCoordinates()];
      return selfCrossings(rings, sketch.getType() !== "Polygon").map(said);
    }
    const own = selfCrossings(ringsOf(shape)).map(said);
    if (!RESHAPES.has(this.state.tool) || (isDrawing && ringsOf(shape)[0].length < 4)) return own;
    const beside = this.board.neighbours.getFeaturesInExtent(shape.getExtent()).filter((one) => one.get("kind") === this.parcel.kind);
    const taken = beside.map((one) => overlapAt(shape, one.getGeometry())).filter(Boolean);
    return [...own, ...taken.map((at) => ({ at, text: words.overlap }))];
  }

  renderProblems(found) {
    const key = JSON.stringify(found.map((one) => one.text));
    this.board.markProblems(found.map((one) => one.at));
    const list = this.part("problems");
    const looks = [...list.querySelectorAll("[data-edit-look]")];
    if (list.dataset.shown === key) {
      looks.forEach((button, at) => { button.dataset.editLook = JSON.stringify(found[at].at); });
      return;
    }
    list.dataset.shown = key;
    list.replaceChildren(...found.map(({ at, text }) => {
      const line = document.createElement("li");
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "button button-quiet", textContent: this.words.look });
      button.dataset.editLook = JSON.stringify(at);
      line.append(text, " ", button);
      return line;
    }));
  }

  say(tone, text) {
    const line = this.part("message");
    line.dataset.tone = tone;
    line.textContent = text ?? "";
  }

  async save() {
    const field = this.part("reason");
    const button = this.root.querySelector('[data-edit-action="save"]');
    const reason = field.value.trim();
    field.toggleAttribute("aria-invalid", false);
    if (!reason) {
      field.setAttribute("aria-invalid", "true");
      field.focus();
      this.say("bad", this.words.reason_needed);
      return;
    }
    button.disabled = true;
    try {
      const { id, version } = this.parcel;
      const isConfirmed = this.part("division-confirmed").checked;
      const byAssessment = Boolean(this.part("by-assessment")?.checked);
      const answer = await send(this.root.dataset.api, requestOf(this.state, { id, version, reason, isConfirmed, byAssessment }), this.root.dataset);
      if (answer.ok && answer.body.job_id) return this.asked(answer.body.job_id);
      if (answer.ok) return this.done(answer.body);
      if (ASKS_DIVISION.has(answer.body.code)) this.part("division").hidden = false;
      if (answer.body.code === "PARCEL_OBLIGED" && this.state.tool === "split" && this.part("assessed")) this.part("assessed").hidden = false;
      this.tell(refused(answer.body, document.documentElement.lang === "en"), "bad");
    } catch {
      this.tell([this.words.not_sent], "bad");
    }
    button.disabled = false;
  }

  /** Saved: the draft goes, the tools are closed, and what came of it stands in words with links. */
  done(body) {
    this.draft.clear();
    const { lines, parcels } = told(body, { words: this.words, beforeM2: this.parcel.area_m2 });
    this.tell(lines, "good", parcels);
    for (const part of this.root.querySelectorAll("[data-edit-closes]")) part.hidden = true;
    this.part("answer").focus();
  }

  /** A job does it: the draft goes, and its page tells of the rest. */
  asked(jobId) {
    this.draft.clear();
    window.location.assign(this.root.dataset.job.replace("{id}", jobId));
  }

  tell(lines, tone, parcels = []) {
    const box = this.part("answer");
    box.className = `alert tone-${tone}`;
    box.hidden = false;
    const links = parcels.map(({ id, mu }) => {
      const link = document.createElement("a");
      Object.assign(link, { href: this.root.dataset.page.replace("{id}", id), textContent: this.words.open_parcel.replace("{mu}", mu), className: "button" });
      return link;
    });
    const paragraphs = lines.map((text) => Object.assign(document.createElement("p"), { textContent: text }));
    const said = Object.assign(document.createElement("div"), { className: "stack" });
    const ways = Object.assign(document.createElement("p"), { className: "actions" });
    ways.append(...links);
    said.append(...paragraphs, ...(links.length ? [ways] : []));
    box.replaceChildren(said);
    box.focus();
  }
}

export function startEdit(root) {
  new BoundaryEditor(root).start();
}
