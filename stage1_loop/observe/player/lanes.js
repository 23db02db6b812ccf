// The picture of a run: a lane for the loop, one for plain callbacks, one a task; a box for each time that one of them
// runs, and an arrow from who woke it. The page draws it around the current event; the lessons' pictures are made by it
// as well.
"use strict";

const LANES = {
  box: [76, 204], // the width of a box, which depends on what stands in it
  gap: 14,
  sleep: 124, // of a column in which the loop sleeps
  lane: 60, // heights
  height: 38, // of a box
  head: 30,
};

function escapeMarkup(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

function shorten(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/**
 * Columns for some spans of one loop, and for its sleeps between them.
 * @param {Words} words
 * @param {number[]} numbers spans of one loop, in their order
 * @param {number} left where they begin
 */
function columnsOf(words, numbers, left) {
  const { log } = words;
  const columns = [];
  if (!numbers.length) return columns;
  const { loop } = log.spans[numbers[0]];
  const before = log.spansOf[loop][lowerBound(log.spansOf[loop], numbers[0]) - 1];
  const sleeps = log.sleeps[loop] || [];
  let next = before === undefined ? 0 : lowerBound(sleeps, log.spans[before].begin, (sleep) => sleep.begin);
  let x = left;
  for (const number of numbers) {
    const span = log.spans[number];
    for (; next < sleeps.length && sleeps[next].end < span.begin; next++) {
      columns.push({ x, width: LANES.sleep, sleep: sleeps[next], tick: span.tick });
      x += LANES.sleep;
    }
    const width = boxWidth(words, span) + LANES.gap;
    columns.push({ x, width, span, number, tick: span.tick });
    x += width;
  }
  return columns;
}

/**
 * @param {Log} log
 * @param {Words} words
 * @param {number[]} numbers which spans: of one loop, in their order
 * @param {{current?: number, title?: string, style?: string, digits?: number}} options current: the span to be
 *   marked; digits: of the times. (The clock of a real run is never exact.)
 * @returns {string} an <svg>
 */
function lanes(log, words, numbers, options = {}) {
  const keys = laneKeys(columnsOf(words, numbers, 0));
  const names = keys.map((key) => shorten(laneName(words, key), 17));
  const left = 30 + 7 * Math.max(6, ...names.map((name) => name.length));
  const columns = columnsOf(words, numbers, left);
  const top = LANES.head + (options.title ? 26 : 0);
  const width = Math.max(360, ...columns.map((column) => column.x + column.width)) + 8;
  const height = top + keys.length * LANES.lane + 10;
  const y = new Map(keys.map((key, i) => [key, top + i * LANES.lane]));
  const parts = [];
  parts.push(
    `<svg xmlns="http://www.w3.org/2000/svg" class="lanes" viewBox="0 0 ${width} ${height}" width="${width}" ` +
      `height="${height}" role="img" aria-label="${escapeMarkup(options.title || "The run, as lanes")}">`,
  );
  if (options.style) parts.push(`<style>${options.style}</style><rect class="page" width="100%" height="100%"/>`);
  if (options.title) parts.push(`<text class="title" x="10" y="24">${escapeMarkup(options.title)}</text>`);
  parts.push(...drawTicks(columns, top, height));
  for (const line of y.values()) parts.push(`<line class="rule" x1="0" x2="${width}" y1="${line}" y2="${line}"/>`);
  const boxes = columns.filter((column) => column.span);
  for (const column of columns) if (column.sleep) parts.push(...drawSleep(column, y.get("loop"), options.digits || 3));
  parts.push(...drawWaits(log, boxes, y, width));
  for (const column of boxes) parts.push(drawArrow(log, columns, column, y, options.current === column.number));
  for (const column of boxes) parts.push(...drawBox(words, column, y, options.current === column.number));
  // The names come last, on a ground of their own: the page keeps them in sight when the lanes are scrolled.
  parts.push(
    `<g class="names"><rect class="page" x="0" y="${top + 1}" width="${left - 12}" height="${height - top - 1}"/>`,
  );
  keys.forEach((key, i) => {
    parts.push(`<text class="name" x="10" y="${y.get(key) + LANES.lane / 2 + 4}">${escapeMarkup(names[i])}</text>`);
  });
  parts.push("</g></svg>");
  return parts.join("\n");
}

function boxWidth(words, span) {
  const [least, most] = LANES.box;
  const letters = Math.max(boxLabel(words, span).length, span.printed ? plain(span.printed).length + 2 : 0);
  return Math.min(most, Math.max(least, 16 + Math.ceil(6.7 * letters)));
}

function laneOf(span) {
  return span.entry.kind === STEP ? span.entry.of : "callbacks";
}

function laneName(words, key) {
  return key === "loop" ? "the loop" : key === "callbacks" ? "callbacks" : words.task(key);
}

// The loop itself if it sleeps; the callbacks; the tasks, the oldest first.
function laneKeys(columns) {
  const spans = columns.filter((column) => column.span).map((column) => column.span);
  const tasks = new Set(spans.filter((span) => span.entry.kind === STEP).map((span) => span.entry.of));
  const keys = [...tasks].sort((a, b) => a - b);
  if (spans.some((span) => span.entry.kind !== STEP)) keys.unshift("callbacks");
  if (columns.some((column) => column.sleep)) keys.unshift("loop");
  return keys;
}

function drawTicks(columns, top, height) {
  const parts = [];
  let last = -1;
  for (const { x, tick, sleep } of columns) {
    if (tick === last || sleep) continue;
    parts.push(
      `<line class="tick" x1="${x - LANES.gap / 2}" x2="${x - LANES.gap / 2}" y1="${top - 22}" y2="${height - 6}"/>`,
    );
    parts.push(`<text class="small" x="${x}" y="${top - 10}">tick ${tick}</text>`);
    last = tick;
  }
  return parts;
}

function drawSleep({ x, width, sleep }, y, digits) {
  const middle = y + LANES.lane / 2;
  const until = sleep.until < 0 ? "" : ` until ${duration(Number(Math.max(0, sleep.until).toPrecision(digits)))}`;
  return [
    `<line class="sleep" x1="${x}" x2="${x + width - LANES.gap}" y1="${middle}" y2="${middle}"/>`,
    `<text class="small" x="${x}" y="${middle - 8}">sleeps${until}</text>`,
  ];
}

// From each box of a task to its next one: what it waits for.
function drawWaits(log, boxes, y, width) {
  const parts = [];
  const open = new Map(); // lane → box
  const draw = (from, to) => {
    const { span } = from;
    if (span.entry.kind !== STEP) return;
    const middle = y.get(laneOf(span)) + LANES.lane / 2;
    const x = from.x + from.width - LANES.gap;
    if (span.done !== null) {
      parts.push(`<path class="end" d="M${x + 3} ${middle - 7}v14"/>`);
      return;
    }
    const end = to ? to.x : width - 8;
    parts.push(`<line class="wait" x1="${x}" x2="${end}" y1="${middle}" y2="${middle}"/>`);
    const what = log.text(span.waits) || "next tick";
    if (end - x > 40) {
      const text = escapeMarkup(shorten(`waits: ${what}`, Math.floor((end - x - 8) / 6)));
      parts.push(`<text class="small" x="${x + 6}" y="${middle - 6}">${text}</text>`);
    }
  };
  for (const box of boxes) {
    const lane = laneOf(box.span);
    if (open.has(lane)) draw(open.get(lane), box);
    open.set(lane, box);
  }
  for (const box of open.values()) draw(box, null);
  return parts;
}

function drawArrow(log, columns, column, y, current) {
  const { span } = column;
  const target = { x: column.x, y: y.get(laneOf(span)) + LANES.lane / 2 };
  const style = current ? "arrow current" : "arrow";
  const by = log.spanOf(span.cause);
  if (by) {
    const source = columns.find((other) => other.span === by);
    if (!source) return "";
    const from = { x: source.x + source.width - LANES.gap, y: y.get(laneOf(by)) + LANES.lane / 2 };
    if (by.entry.kind === STEP && span.entry.kind === STEP && by.entry.of === span.entry.of) return ""; // a yield
    return arrow(style, from, target);
  }
  // By the loop itself, which has slept until then.
  const slept = columns.filter((other) => other.sleep && other.tick === column.tick).pop();
  if (span.cause < 0 || !slept || (log.events[span.cause][0] === "soon" && span.entry.kind === CALLBACK)) return "";
  return arrow(style, { x: slept.x + slept.width - LANES.gap, y: y.get("loop") + LANES.lane / 2 }, target);
}

function arrow(style, from, to) {
  if (from.y === to.y) return arrowBelow(style, from.x - 16, to.x + 16, from.y + LANES.height / 2);
  const end = to.x - 2;
  const bend = Math.max(10, Math.min(40, (end - from.x) / 2));
  const path = `M${from.x} ${from.y}C${from.x + bend} ${from.y} ${end - bend} ${to.y} ${end} ${to.y}`;
  const tip = `M${end - 6} ${to.y - 4}L${end + 1} ${to.y}L${end - 6} ${to.y + 4}z`;
  return `<path class="${style}" d="${path}"/><path class="${style} tip" d="${tip}"/>`;
}

// Within a lane: below the boxes.
function arrowBelow(style, from, to, y) {
  const path = `M${from} ${y}c4 10 10 10 16 10H${to - 16}c6 0 12 0 16 -8`;
  const tip = `M${to - 5} ${y + 6}L${to} ${y + 1}L${to + 3} ${y + 8}z`;
  return `<path class="${style}" d="${path}"/><path class="${style} tip" d="${tip}"/>`;
}

function drawBox(words, column, y, current) {
  const { span, x } = column;
  const width = column.width - LANES.gap;
  const top = y.get(laneOf(span)) + (LANES.lane - LANES.height) / 2;
  const room = Math.floor((width - 14) / 6.6);
  const printed = plain(span.printed);
  const parts = [
    `<g class="${current ? "run current" : "run"}" data-span="${column.number}">`,
    `<rect x="${x}" y="${top}" width="${width}" height="${LANES.height}" rx="5"/>`,
    `<text class="code" x="${x + 7}" y="${top + (printed ? 16 : 24)}">${escapeMarkup(shorten(boxLabel(words, span), room))}</text>`,
  ];
  if (printed)
    parts.push(
      `<text class="print" x="${x + 7}" y="${top + 31}">${escapeMarkup(shorten(`“${printed}”`, room))}</text>`,
    );
  parts.push("</g>");
  return parts;
}

function boxLabel(words, span) {
  const { kind, of, file, line } = span.entry;
  if (kind === DESCRIPTOR) return `descriptor ${words.descriptor(of)}`;
  if (kind !== STEP) return file ? words.place(file, line) : kind === TIMER ? "timer" : "callback";
  const name = words.log.text(span.frames[0]).replace(/^.*::/, "");
  return span.first ? `${name}()` : name + words.line(span.frames[1], span.frames[2]);
}

/** The style of a picture that stands alone. */
const PICTURE_STYLE = `
svg { --page: #fff; --ink: #1f2328; --weak: #59636e; --rule: #d8dee4; --box: #eef2f6; --edge: #8c959f; --mark: #0550ae }
@media (prefers-color-scheme: dark) {
svg { --page: #0d1117; --ink: #e6edf3; --weak: #9198a1; --rule: #30363d; --box: #1c232c; --edge: #6e7681; --mark: #79c0ff } }
.page { fill: var(--page) } text { font: 12px system-ui, sans-serif; fill: var(--ink) }
.title { font-size: 15px; font-weight: 600 } .name { font-weight: 600 } .small { font-size: 11px; fill: var(--weak) }
.code, .print { font: 11px ui-monospace, monospace } .print { fill: var(--mark) }
.rule, .tick { stroke: var(--rule) } .tick { stroke-dasharray: 2 3 } .sleep { stroke: var(--edge); stroke-dasharray: 6 4 }
.wait { stroke: var(--edge) } .end { stroke: var(--ink); stroke-width: 3 } .run rect { fill: var(--box); stroke: var(--edge) }
.arrow { fill: none; stroke: var(--mark); stroke-width: 1.25 } .tip { fill: var(--mark); stroke: none }
`;
