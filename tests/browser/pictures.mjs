// The pictures of the lessons: stageN_*/watch.svg, made by the player's own code of what the demos did.
//
//   pictures.mjs BUILD-FOLDER            writes them
//   pictures.mjs BUILD-FOLDER --check    compares them with those that are there
//
// A demo's times are real. So what a picture shows of them is rounded; and a run that went otherwise, on a machine with
// much to do, is repeated: no number of runs draws a picture that the player would not draw.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPlayer, logOf } from "./page.mjs";

const RUNS = 20;
const root = fileURLToPath(new URL("../../", import.meta.url));
const { Log, Words, lanes, PICTURE_STYLE } = loadPlayer();

// under: the heading that the demo prints; loop: which of the loops that run under it; from, to: which of its boxes
const PICTURES = [
  { folder: "stage1_loop", under: "--- ticks", title: "./stages watch 1: a callback schedules another" },
  { folder: "stage2_future", under: "--- callbacks are", title: "./stages watch 2: callbacks run in the next tick" },
  { folder: "stage3_task", under: "--- 003 task.py", to: 6, title: "./stages watch 3: two tasks, one thread" },
  { folder: "stage4_combinators", under: "000: asyncio.gather", to: 10, title: "./stages watch 4: gather()" },
  { folder: "stage5_sync", under: "--- lock.py", to: 6, title: "./stages watch 5: a lock, from task to task" },
  { folder: "stage6_io", under: "---------- 002", to: 5, title: "./stages watch 6: a client connects to a server" },
];

function run(build, stage) {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-pictures-"));
  const page = join(folder, "page.html");
  const environment = { ...process.env, ASYNCIO_WATCH: page, ASYNCIO_WATCH_OUTPUT: "1" };
  try {
    execFileSync(join(build, `stage${stage}_demo_watched`), { env: environment, stdio: ["ignore", "pipe", "inherit"] });
    return new Log(logOf(readFileSync(page, "utf8")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// The boxes that begin between this heading and the next.
function boxesUnder(log, { under, from = 0, to }) {
  const isHeading = (event) => event[0] === "out" && /^-{3,}(?!-*\s*$)/m.test(event[3]);
  const begin = log.events.findIndex((event) => event[0] === "out" && event[3].includes(under));
  if (begin < 0) throw new Error(`The demo does not print "${under}"`);
  const rest = log.events.slice(begin + 1).findIndex(isHeading);
  const end = rest < 0 ? log.events.length : begin + 1 + rest;
  const numbers = log.spans.keys();
  const mine = [...numbers].filter((number) => log.spans[number].begin > begin && log.spans[number].begin < end);
  const { loop } = log.spans[mine[0]];
  return mine.filter((number) => log.spans[number].loop === loop).slice(from, to);
}

// Descriptors are A, B, …: their numbers depend on what else is open. Of the library's files, whose lines change more
// often than the lessons, only the names are shown.
class PictureWords extends Words {
  letters = new Map();
  line(file, line) {
    return this.log.files[file].name.startsWith("demo") ? `:${line}` : "";
  }
  descriptor(fd) {
    if (!this.letters.has(fd)) this.letters.set(fd, String.fromCharCode(65 + this.letters.size));
    return this.letters.get(fd);
  }
}

function draw(build, picture) {
  const log = run(build, Number(picture.folder[5]));
  const options = { title: picture.title, style: PICTURE_STYLE, digits: 1 };
  return `${lanes(log, new PictureWords(log), boxesUnder(log, picture), options)}\n`;
}

const [build, mode] = process.argv.slice(2);
let wrong = 0;
for (const picture of PICTURES) {
  const file = join(root, picture.folder, "watch.svg");
  if (mode !== "--check") {
    writeFileSync(file, draw(build, picture));
    continue;
  }
  const kept = readFileSync(file, "utf8");
  if (kept.length > 20_000) throw new Error(`${file}: ${kept.length} bytes`);
  let runs = 1;
  while (runs <= RUNS && draw(build, picture) !== kept) runs++;
  if (runs > RUNS) {
    console.log(`${file} is not what the player draws now; tests/browser/pictures.mjs ${build} writes it anew`);
    wrong++;
  }
}
process.exit(wrong ? 1 : 0);
