// A status on the map is a colour and a pattern, the same six tones as the badges.
import { Circle, Fill, Stroke, Style, Text } from "ol/style.js";
import { FONT, token } from "./base.js";

const SIZE = 10;
const PATTERNS = {
  neutral: null,
  good: null,
  progress: (pen) => { pen.moveTo(0, SIZE); pen.lineTo(SIZE, 0); pen.moveTo(-2, 2); pen.lineTo(2, -2); pen.moveTo(SIZE - 2, SIZE + 2); pen.lineTo(SIZE + 2, SIZE - 2); },
  warn: (pen) => { for (const [x, y] of [[2.5, 2.5], [7.5, 7.5]]) { pen.moveTo(x + 1.2, y); pen.arc(x, y, 1.2, 0, Math.PI * 2); } },
  bad: (pen) => { pen.moveTo(0, 0); pen.lineTo(SIZE, SIZE); pen.moveTo(SIZE, 0); pen.lineTo(0, SIZE); },
  done: (pen) => { pen.moveTo(SIZE / 2, 0); pen.lineTo(SIZE / 2, SIZE); },
};

function pattern(tone, colour) {
  const ratio = window.devicePixelRatio || 1;
  const tile = document.createElement("canvas");
  tile.width = tile.height = Math.round(SIZE * ratio);
  const pen = tile.getContext("2d");
  pen.scale(tile.width / SIZE, tile.height / SIZE);
  pen.globalAlpha = tone === "neutral" ? 0.1 : 0.24;
  pen.fillStyle = colour;
  pen.fillRect(0, 0, SIZE, SIZE);
  if (PATTERNS[tone]) {
    pen.globalAlpha = 0.85;
    pen.strokeStyle = colour;
    pen.lineWidth = 1.3;
    pen.beginPath();
    PATTERNS[tone](pen);
    pen.stroke();
  }
  return pen.createPattern(tile, "repeat");
}

const cache = new Map();

/** Fill, line and (close up) name of a feature in one tone. */
export function toneStyle(tone, { active = false, label = "", far = false } = {}) {
  const contrast = document.documentElement.dataset.contrast ?? "";
  const key = `${tone} ${active} ${far} ${contrast}`;
  let style = cache.get(key);
  if (!style) {
    const colour = token(`tone-${tone}`) || token("tone-neutral");
    style = new Style({
      fill: new Fill({ color: pattern(tone, colour) }),
      stroke: new Stroke({ color: active ? token("focus") : colour, width: active ? 4 : far ? 0.8 : 1.6, lineDash: tone === "neutral" && !active && !far ? [6, 4] : undefined }),
      text: new Text({ text: "", font: `13px ${FONT}`, overflow: false, fill: new Fill({ color: token("ink") }), stroke: new Stroke({ color: token("surface"), width: 3 }) }),
      zIndex: active ? 10 : 0,
    });
    cache.set(key, style);
  }
  style.getText().setText(label);
  return style;
}

/** A single tree: a dot of its tone, its number close up; a dead one is hollow, not only red. */
export function dotStyle(tone, { label = "", far = false } = {}) {
  const contrast = document.documentElement.dataset.contrast ?? "";
  const key = `dot ${tone} ${far} ${contrast}`;
  let style = cache.get(key);
  if (!style) {
    const colour = token(`tone-${tone}`) || token("tone-neutral");
    const hollow = tone === "bad";
    style = new Style({
      image: new Circle({
        declutterMode: "none", // every tree shows, only numbers give way
        radius: far ? 2 : 5,
        fill: new Fill({ color: hollow ? token("surface") : colour }),
        stroke: new Stroke({ color: hollow ? colour : token("surface"), width: far ? 0.5 : 1.5 }),
      }),
      text: new Text({ text: "", font: `12px ${FONT}`, offsetY: -12, fill: new Fill({ color: token("ink") }), stroke: new Stroke({ color: token("surface"), width: 3 }) }),
      zIndex: 2,
    });
    cache.set(key, style);
  }
  style.getText().setText(label);
  return style;
}

export function paintSwatch(canvas, tone) {
  const pen = canvas.getContext("2d");
  const colour = token(`tone-${tone}`) || token("tone-neutral");
  const fill = pattern(tone, colour);
  const ratio = window.devicePixelRatio || 1;
  fill.setTransform?.(new DOMMatrix().scale(1 / ratio));
  pen.fillStyle = fill;
  pen.fillRect(0, 0, canvas.width, canvas.height);
}
