// What a browser must fetch before it shows the first page, gzipped; fails above the budget.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = 250_000;
const manifest = JSON.parse(readFileSync("dist/.vite/manifest.json", "utf8"));
const needed = new Set(["index.html", "theme.js", "icon.svg"]);

function add(key) {
  const chunk = manifest[key];
  if (!chunk || needed.has(chunk.file)) return;
  [chunk.file, ...(chunk.css ?? [])].forEach((file) => needed.add(file));
  (chunk.imports ?? []).forEach(add);
}
add("index.html");
add("src/pages/home/Home.tsx");
// The fonts' Latin part; browsers fetch other scripts only for texts that need them.
const assets = readdirSync("dist/assets");
assets.filter((file) => /^inter-latin-wght-normal.*woff2$/.test(file)).forEach((file) => needed.add(`assets/${file}`));

let total = 0;
for (const file of needed) {
  const bytes = readFileSync(`dist/${file}`);
  total += file.endsWith(".woff2") ? bytes.length : gzipSync(bytes, { level: 9 }).length;
}
const kilobytes = (total / 1000).toFixed(1);
console.log(`First view: ${kilobytes} kB gzipped in ${needed.size} files (budget ${BUDGET / 1000} kB)`);
if (total > BUDGET) {
  console.error("error: the first view is over its budget; load something later, or leave it out");
  process.exit(1);
}
