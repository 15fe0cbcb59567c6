// Build web/static/dist from src: stable names, and a manifest from which a test proves, without
// Node, that what is committed belongs to these sources and this lock.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, copyFileSync, writeFileSync, existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static", "dist");
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/** One digest over path and content of everything the build reads. */
function sourceDigest() {
  const inputs = [...filesUnder(join(here, "src")), join(here, "build.mjs"), join(here, "package.json"), join(here, "package-lock.json")];
  const lines = inputs.map((path) => `${relative(here, path).split("\\").join("/")} ${sha256(readFileSync(path))}\n`);
  return sha256(lines.sort().join(""));
}

/** The packages whose code is in the bundles, from esbuild's own list of inputs. */
function bundledPackages(metafile) {
  const names = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) names.add(match[1]);
  }
  return [...names].sort();
}

function licenceOf(name) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : `(${license})`;
  return { name, version, license, text };
}

mkdirSync(out, { recursive: true });
const result = await build({
  absWorkingDir: here,
  entryPoints: ["src/app.js", "src/app.css", "src/map.js", "src/map.css"],
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox113", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

copyFileSync(join(here, "src", "mark.svg"), join(out, "mark.svg"));
const licences = bundledPackages(result.metafile).map(licenceOf);
const text = licences.map((one) => `${one.name} ${one.version} (${one.license})\n\n${one.text}\n`).join(`\n${"-".repeat(72)}\n\n`);
writeFileSync(join(out, "LICENSES.txt"), text);

const names = ["LICENSES.txt", "app.css", "app.js", "map.css", "map.js", "mark.svg"];
const missing = names.filter((name) => !existsSync(join(out, name)));
if (missing.length) throw new Error(`not built: ${missing.join(", ")}`);
const manifest = {
  sources: sourceDigest(),
  packages: Object.fromEntries(licences.map((one) => [one.name, one.version])),
  files: Object.fromEntries(names.map((name) => {
    const data = readFileSync(join(out, name));
    return [name, { sha256: sha256(data), bytes: data.length }];
  })),
};
writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
for (const [name, { bytes }] of Object.entries(manifest.files)) console.log(`${name} ${bytes}`);
