// Pages with a map. One module per data attribute; this file only finds them.
import { startDraw } from "./map/draw.js";
import { Draft } from "./map/edit/draft.js";
import { startEdit } from "./map/edit/editor.js";
import { startViewer } from "./map/viewer.js";

function start(root) {
  for (const element of root.querySelectorAll("[data-draft-saved]")) new Draft(element.dataset.draftSaved).clear();
  for (const element of root.querySelectorAll("[data-map]:not([data-started])")) {
    element.dataset.started = "";
    startViewer(element);
  }
  for (const element of root.querySelectorAll("[data-draw]:not([data-started])")) {
    element.dataset.started = "";
    startDraw(element);
  }
  for (const element of root.querySelectorAll("[data-edit]:not([data-started])")) {
    element.dataset.started = "";
    startEdit(element);
  }
}

start(document);
document.addEventListener("htmx:after:swap", () => start(document));
