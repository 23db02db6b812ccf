// The page: what stands where, and what a key or a button does.
"use strict";

/** How many entries of a list are shown. */
const SHOWN = 40;
/** How many spans the picture shows, before and behind the current one. */
const SPANS_BEFORE = 9,
  SPANS_BEHIND = 6;

class Player {
  /** @param {Log} log */
  constructor(log) {
    this.log = log;
    this.words = new Words(log);
    this.at = 0; // the event that is shown has happened: the state is that after `at + 1` events
    this.current = log.state(1);
    this.chosen = 0; // the task to which the steps keep, or 0
    this.way = []; // the events from which "why" has jumped
    this.timer = 0;
    this.shownFile = -1;
    this.shownLoop = 0;
  }

  get last() {
    return this.log.events.length - 1;
  }

  /** The state before and after event `i`. Forward it is one step; back, or far, from the last keyframe. */
  stateAt(i) {
    const near = i > this.at && i - this.at < 200;
    const before = near ? this.current : this.log.state(i);
    if (near) for (let k = this.at + 1; k < i; k++) before.apply(this.log.events[k]);
    const sentence = this.words.say(i, before);
    before.apply(this.log.events[i]);
    return { sentence, state: before };
  }

  go(i) {
    i = Math.max(0, Math.min(this.last, i));
    const { sentence, state } =
      i === this.at && this.sentence ? { sentence: this.sentence, state: this.current } : this.stateAt(i);
    this.at = i;
    this.current = state;
    this.sentence = sentence;
    this.draw();
  }

  isChosen(i) {
    return !this.chosen || this.log.taskOf[i] === this.chosen;
  }

  step(direction) {
    let i = this.at + direction;
    while (i >= 0 && i <= this.last && !this.isChosen(i)) i += direction;
    if (i >= 0 && i <= this.last) this.go(i);
    return i >= 0 && i <= this.last;
  }

  stepTick(direction) {
    const { ticks } = this.log;
    let next = lowerBound(ticks, direction > 0 ? this.at + 1 : this.at) + (direction > 0 ? 0 : -1);
    while (this.chosen && next >= 0 && next < ticks.length && !this.tickHasChosen(next)) next += direction;
    this.go(next < 0 ? 0 : next < ticks.length ? ticks[next] : this.last);
  }

  tickHasChosen(number) {
    const end = number + 1 < this.log.ticks.length ? this.log.ticks[number + 1] : this.log.events.length;
    for (let i = this.log.ticks[number]; i < end; i++) if (this.isChosen(i)) return true;
    return false;
  }

  why() {
    const cause = this.log.causeOf(this.at);
    if (cause < 0) return;
    this.way.push(this.at);
    this.go(cause);
  }

  whyBack() {
    if (this.way.length) this.go(this.way.pop());
  }

  // ── playing ──

  get playing() {
    return this.timer !== 0;
  }

  play(on = !this.playing) {
    clearTimeout(this.timer);
    this.timer = 0;
    if (on && this.at === this.last) this.go(0);
    if (on) this.playOn();
    element("play").textContent = on ? "❚❚" : "▶";
    element("play").setAttribute("aria-label", on ? "Pause" : "Play");
    element("play").title = on ? "Pause" : "Play";
    element("words").setAttribute("aria-live", on ? "off" : "polite");
  }

  // Not more than thirty pictures a second: at a higher speed each shows several events.
  playOn() {
    const speed = Number(value("speed"));
    const events = Math.max(1, Math.round(speed / 30));
    this.timer = setTimeout(
      () => {
        const target = Math.min(this.last, this.at + events);
        const more = this.chosen ? this.step(1) : (this.go(target), target < this.last);
        if (more) this.playOn();
        else this.play(false);
      },
      (1000 * events) / speed,
    );
  }

  // ── drawing ──

  draw() {
    const { log, current } = this;
    const loop = current.current() || new LoopState(0);
    element("words").textContent = this.sentence;
    element("where").textContent = this.whereAreWe(loop);
    const scrub = /** @type {HTMLInputElement} */ (element("scrub"));
    scrub.value = String(this.at);
    scrub.setAttribute("aria-valuetext", `Event ${this.at + 1} of ${log.events.length}. ${this.sentence}`);
    this.drawReady(loop);
    this.drawTimers(loop);
    this.drawTasks(loop);
    this.drawDescriptors(loop);
    this.drawLanes();
    this.drawSource(loop);
    this.drawOutput();
    disable("why", log.causeOf(this.at) < 0);
    disable("back", this.at === 0);
    disable("tick-back", this.at === 0);
    disable("forward", this.at === this.last);
    disable("tick-forward", this.at === this.last);
  }

  whereAreWe(loop) {
    const { log } = this;
    const parts = [`event ${(this.at + 1).toLocaleString("en")} of ${log.events.length.toLocaleString("en")}`];
    const clock = log.text(loop.core) === "VirtualCore" ? "virtual clock" : "clock";
    parts.push(`tick ${loop.tick.toLocaleString("en")}`, `${clock} ${duration(loop.time)}`);
    if (log.spansOf.length > 2 || this.current.loops.size > 1) parts.push(`loop ${this.current.loop}`);
    if (loop.core) parts.push(log.text(loop.core));
    if (loop.sleeping) parts.push("the loop sleeps");
    return parts.join(" · ");
  }

  drawReady(loop) {
    const running = loop.running.map((entry) => ({ entry, running: true }));
    const items = running.concat(loop.ready.map((entry) => ({ entry, running: false })));
    element("ready-count").textContent = String(loop.ready.length);
    drawList("ready", items, "empty", ({ entry, running: runs }) => ({
      name: this.words.entry(entry),
      state: runs ? "▶ runs" : "",
      style: this.styleOf(entry, runs),
    }));
  }

  styleOf(entry, runs) {
    const chosen = this.chosen && entry.kind === STEP && entry.of === this.chosen;
    return `${runs ? "running" : ""} ${chosen ? "chosen" : ""}`;
  }

  drawTimers(loop) {
    const timers = smallest([...loop.timers.values()], SHOWN, (a, b) => dueAt(a) - dueAt(b) || a.id - b.id);
    element("timers-count").textContent = String(loop.timers.size);
    drawList(
      "timers",
      timers,
      "none",
      (timer) => ({
        name: timer.when < 0 ? "never" : timer.when <= loop.time ? "due" : `in ${duration(timer.when - loop.time)}`,
        state: timer.when < 0 ? "" : `at ${duration(Math.max(0, timer.when))}`,
        frames: timer.file ? [this.words.place(timer.file, timer.line)] : [],
      }),
      loop.timers.size,
    );
  }

  drawTasks(loop) {
    const tasks = [...loop.tasks.values()];
    const shown = tasks
      .filter((task) => task.state !== "waiting")
      .concat(tasks.filter((task) => task.state === "waiting"));
    if (this.chosen) shown.sort((a, b) => Number(b.id === this.chosen) - Number(a.id === this.chosen));
    else if (tasks.length <= SHOWN) shown.sort((a, b) => a.id - b.id);
    element("tasks-count").textContent = String(tasks.length);
    const list = shown.slice(0, SHOWN).concat(loop.done.slice().reverse());
    drawList(
      "tasks",
      list,
      "none",
      (task) => ({
        name: this.log.text(task.name),
        state: this.taskState(task),
        frames: task.state === "done" ? [] : this.framesOf(task),
        style: `${task.state} ${task.id === this.chosen ? "chosen" : ""}`,
      }),
      tasks.length + loop.done.length,
    );
  }

  taskState(task) {
    const asked = task.asked && task.state !== "done" ? ", to be cancelled" : "";
    if (task.state === "running") return `▶ runs${asked}`;
    if (task.state === "waiting") return `waits for ${this.log.text(task.waits) || "the next tick"}${asked}`;
    if (task.state === "done") return `done: ${this.log.text(task.how)}`;
    return `ready${asked}`;
  }

  framesOf(task) {
    const frames = [];
    for (let i = 0; i < task.frames.length; i += 3) {
      frames.push(`${this.log.text(task.frames[i])}()  ${this.words.place(task.frames[i + 1], task.frames[i + 2])}`);
    }
    return frames;
  }

  drawDescriptors(loop) {
    const watched = [...loop.watched];
    element("fds-count").textContent = String(watched.length);
    drawList(
      "fds",
      watched.slice(0, SHOWN),
      "none watched",
      ([fd, mask]) => ({
        name: `descriptor ${fd}`,
        state: this.words.events(mask),
      }),
      watched.length,
    );
  }

  // The span that runs now, or the last one before.
  spanNow() {
    const { log } = this;
    if (log.spanAt[this.at] >= 0) return log.spanAt[this.at];
    const numbers = log.spansOf[this.current.loop] || [];
    const next = lowerBound(numbers, this.at + 1, (number) => log.spans[number].begin);
    return next > 0 ? numbers[next - 1] : numbers.length ? numbers[0] : -1;
  }

  drawLanes() {
    const { log } = this;
    const now = this.spanNow();
    const figure = element("lanes");
    figure.hidden = now < 0;
    if (now < 0) return;
    let numbers = log.spansOf[log.spans[now].loop];
    if (this.chosen) numbers = this.chosenSpans(numbers, now);
    const at = lowerBound(numbers, now);
    const from = Math.max(0, Math.min(at - SPANS_BEFORE, numbers.length - SPANS_BEFORE - SPANS_BEHIND));
    const shown = numbers.slice(from, from + SPANS_BEFORE + SPANS_BEHIND);
    const current = log.spanAt[this.at];
    const key = `${shown[0]} ${shown.length} ${current} ${this.chosen}`;
    if (key === this.shownLanes) return;
    this.shownLanes = key;
    figure.innerHTML = lanes(log, this.words, shown, { current });
    const box = /** @type {SVGRectElement} */ (figure.querySelector(`[data-span="${now}"] rect`));
    if (!box) return;
    const { x, y, width, height } = box.getBBox();
    const { scrollLeft, clientWidth, scrollTop, clientHeight } = figure;
    const names = /** @type {SVGRectElement} */ (figure.querySelector(".names rect")).getBBox().width;
    if (x < scrollLeft + names || x + width > scrollLeft + clientWidth) {
      figure.scrollLeft = x + width / 2 - (clientWidth + names) / 2;
    }
    if (y < scrollTop || y + height > scrollTop + clientHeight) figure.scrollTop = y + height / 2 - clientHeight / 2;
    this.keepNames();
  }

  keepNames() {
    const figure = element("lanes");
    const names = figure.querySelector(".names");
    if (names) names.setAttribute("transform", `translate(${figure.scrollLeft})`);
  }

  // The chosen task's spans around now, and those that woke it.
  chosenSpans(numbers, now) {
    const { log } = this;
    const mine = numbers.filter((number) => {
      const { entry } = log.spans[number];
      return entry.kind === STEP && entry.of === this.chosen;
    });
    const kept = new Set(mine);
    for (const number of mine) {
      const waker = log.spans[number].cause >= 0 ? log.spanAt[log.spans[number].cause] : -1;
      if (waker >= 0) kept.add(waker);
    }
    kept.add(now);
    return [...kept].filter((number) => log.spans[number].loop === log.spans[now].loop).sort((a, b) => a - b);
  }

  // The line that runs, or at which what runs was scheduled; otherwise the place of the event itself.
  placeNow(loop) {
    const span = this.log.spanOf(this.at);
    const entry = span ? span.entry : null;
    const [kind, , , , ...rest] = this.log.events[this.at];
    if (kind === "wait" && rest[2].length) return framePlace(rest[2]);
    if (kind === "arm" && rest[1]) return [rest[1], rest[2]];
    if (kind === "ask" && rest[0]) return [rest[0], rest[1]];
    if (kind === "soon" && rest[2]) return [rest[2], rest[3]];
    if (kind === "task") return [rest[2], rest[3]];
    if (entry && entry.kind === STEP) return framePlace((loop.tasks.get(entry.of) || span).frames);
    if (entry) return [entry.file, entry.line];
    return [0, 0];
  }

  // Where the program was when it was last known, for an event without a place.
  lastFile() {
    for (let i = this.at; i >= 0 && i > this.at - 1000; i--) {
      const [kind, , , , ...rest] = this.log.events[i];
      const file = { wait: rest[2] && rest[2][1], arm: rest[1], ask: rest[0], soon: rest[2], task: rest[2] }[kind];
      if (file) return file;
    }
    return Math.max(this.shownFile, Math.min(1, this.log.files.length - 1));
  }

  drawSource(loop) {
    let [number, line] = this.placeNow(loop);
    const source = element("source");
    const file = this.log.files[number];
    if (!number || !file) {
      [number, line] = [this.lastFile(), 0]; // without a mark
    }
    for (const marked of source.querySelectorAll(".here")) {
      marked.classList.remove("here");
      marked.removeAttribute("aria-current");
    }
    if (number <= 0) return;
    if (number !== this.shownFile) this.showFile(number);
    element("source-name").textContent = this.log.files[number].name + (line ? `, line ${line}` : "");
    const here = /** @type {HTMLElement} */ (source.children[line - 1]);
    if (!here) return;
    here.classList.add("here");
    here.setAttribute("aria-current", "true");
    const top = here.offsetTop - source.offsetTop;
    if (top < source.scrollTop + 30 || top > source.scrollTop + source.clientHeight - 50) {
      source.scrollTop = top - source.clientHeight / 3;
    }
  }

  showFile(number) {
    this.shownFile = number;
    const source = element("source");
    source.textContent = "";
    const { lines, name } = this.log.files[number];
    if (!lines.length) source.textContent = ` ${name} could not be read when the program ran.`;
    lines.forEach((text, i) => {
      const line = document.createElement("span");
      line.className = "line";
      const digits = document.createElement("span");
      digits.className = "number";
      digits.textContent = String(i + 1);
      line.append(digits, `${text}\n`);
      source.append(line);
    });
  }

  // The end of it: the output may be long.
  drawOutput() {
    const { log, current } = this;
    const output = element("output");
    const isNew = log.events[this.at][0] === "out";
    const upTo = current.printed - (isNew ? 1 : 0);
    const key = `${upTo} ${isNew}`;
    if (key === this.shownOutput) return;
    this.shownOutput = key;
    const before = log.output.slice(Math.max(0, upTo - 400), upTo).join("");
    output.textContent = log.output.length ? before : "The program printed nothing, or its output was not captured.";
    if (isNew) {
      const fresh = document.createElement("span");
      fresh.className = "new";
      fresh.textContent = log.output[upTo];
      output.append(fresh);
    }
    output.scrollTop = output.scrollHeight;
  }

  // ── what the user does ──

  choose(name) {
    const wanted = name.trim().toLowerCase();
    this.chosen = 0;
    for (const [id, known] of this.log.names) if (wanted && known.toLowerCase() === wanted) this.chosen = id;
    element("filter").setAttribute("aria-invalid", String(wanted !== "" && !this.chosen));
    this.shownLanes = "";
    this.draw();
  }

  connect() {
    const { log } = this;
    const scrub = /** @type {HTMLInputElement} */ (element("scrub"));
    scrub.max = String(this.last);
    scrub.addEventListener("input", () => this.go(Number(scrub.value)));
    /** @type {[string, () => void][]} */
    const actions = [
      ["back", () => this.step(-1)],
      ["forward", () => this.step(1)],
      ["tick-back", () => this.stepTick(-1)],
      ["tick-forward", () => this.stepTick(1)],
      ["play", () => this.play()],
      ["why", () => this.why()],
      ["theme", nextTheme],
      ["help-open", () => /** @type {HTMLDialogElement} */ (element("help")).showModal()],
      ["help-close", () => /** @type {HTMLDialogElement} */ (element("help")).close()],
    ];
    for (const [id, action] of actions) element(id).addEventListener("click", action);
    const filter = /** @type {HTMLInputElement} */ (element("filter"));
    filter.addEventListener("input", () => this.choose(filter.value));
    const names = [...new Set(log.names.values())].slice(0, 1000);
    element("task-names").append(...names.map((name) => new Option(name, name)));
    element("lanes").addEventListener("click", (event) => {
      const box = /** @type {Element} */ (event.target).closest("[data-span]");
      if (box instanceof SVGElement) this.go(log.spans[Number(box.dataset.span)].begin);
    });
    element("lanes").addEventListener("scroll", () => this.keepNames());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const typing = target.matches("select, input[type=text], dialog *");
    if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
    if (event.key === " " && target.matches("button")) return; // it presses the button
    if (event.key.startsWith("Arrow") && target.matches("pre, figure") && !event.shiftKey && /Up|Down/.test(event.key))
      return;
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowRight: () => (event.shiftKey ? this.stepTick(1) : this.step(1)),
      ArrowLeft: () => (event.shiftKey ? this.stepTick(-1) : this.step(-1)),
      Home: () => this.go(0),
      End: () => this.go(this.last),
      " ": () => this.play(),
      w: () => this.why(),
      b: () => this.whyBack(),
      f: () => element("filter").focus(),
      t: nextTheme,
      "?": () => element("help-open").click(),
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

function dueAt(timer) {
  return timer.when < 0 ? Infinity : timer.when;
}

// The `count` smallest, in order. Few of many: not all are sorted.
function smallest(list, count, compare) {
  if (list.length <= 4 * count) return list.sort(compare).slice(0, count);
  let kept = [];
  for (const one of list) {
    if (kept.length >= 4 * count) kept = kept.sort(compare).slice(0, count);
    kept.push(one);
  }
  return kept.sort(compare).slice(0, count);
}

function framePlace(frames) {
  return frames.length ? [frames[1], frames[2]] : [0, 0];
}

function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element ${id}`);
  return found;
}

function value(id) {
  return /** @type {HTMLSelectElement} */ (element(id)).value;
}

function disable(id, on) {
  /** @type {HTMLButtonElement} */ (element(id)).disabled = on;
}

/** Fills a list: `describe` gives what stands in an item. `total`: how many there are, if not all were given. */
function drawList(id, items, none, describe, total = items.length) {
  const list = element(id);
  const shown = items.slice(0, SHOWN + DONE_IN_SIGHT).map((item) => {
    const { name, state = "", frames = [], style = "" } = describe(item);
    const entry = document.createElement("li");
    entry.className = style.trim();
    const strong = document.createElement("b");
    strong.textContent = name;
    entry.append(strong);
    if (state) entry.append(" ", span("state", state));
    for (const frame of frames) entry.append(span("frame", frame));
    return entry;
  });
  if (!items.length) shown.push(remark("none", none));
  if (total > shown.length) shown.push(remark("more", `and ${(total - shown.length).toLocaleString("en")} more`));
  list.replaceChildren(...shown);
}

function span(style, text) {
  const made = document.createElement("span");
  made.className = style;
  made.textContent = text;
  return made;
}

function remark(style, text) {
  const made = document.createElement("li");
  made.className = style;
  made.textContent = text;
  return made;
}

function nextTheme() {
  const root = document.documentElement;
  const next = { undefined: "dark", dark: "light", light: undefined }[String(root.dataset.theme)];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  element("theme").textContent = `Colours: ${next || "auto"}`;
}

/** @type {Player | undefined} */
let player;

function main() {
  const script = element("log");
  const log = new Log(script.textContent || "");
  const title = (script.dataset.program || "a program").replace(/_watched$/, ""); // of our demos
  element("title").textContent = `${title}, watched`;
  document.title = `${title}, watched`;
  const notes = [];
  if (log.full) notes.push("The log is full: this page shows the beginning of the run.");
  if (!log.events.length) notes.push("The log is empty: no loop ran.");
  element("note").textContent = notes.join(" ");
  element("note").hidden = !notes.length;
  if (!log.events.length) return;
  player = new Player(log);
  player.connect();
  const wanted = /^#(\d+)$/.exec(location.hash);
  player.go(wanted ? Number(wanted[1]) - 1 : 0);
}

if (typeof document !== "undefined") document.addEventListener("DOMContentLoaded", main);
