// The log of a run: lines of JSON, and the state of its loops after each of them.
//
// A line is [kind, loop, time, ...]; the time is in microseconds on the loop's clock, from where the log began. watch.cpp
// writes it. A place is two numbers, file and line; file 0 means: not known. Texts and files are numbered from 1, in the
// order of their own lines, which are no events:
//
//   ["str", text]                                   a text
//   ["file", path, source]                          a file; the source is empty if it could not be read
//   ["loop", l, t, core]                            a loop is seen for the first time; the core's name is a text
//   ["core", l, t, core]                            from now on it waits in another core
//   ["close", l, t]                                 it is closed, and forgets what it still had
//   ["tick", l, t]  ["tock", l, t, ready, timers]   a tick begins; it ends, and the loop itself counts what it has
//   ["soon", l, t, id, kind, of, file, line]        an entry goes into the ready queue. Its kind: see below; of: the
//                                                   task, the timer, the descriptor
//   ["run", l, t, id, kind]  ["ran", l, t, id]      the entry begins to run, and ends
//   ["skip", l, t, id]                              its turn has come, but it was cancelled
//   ["arm", l, t, id, when, file, line]             a timer is set; when: -1 means never
//   ["due", l, t, id]                               its time has come: it goes into the ready queue
//   ["off", l, t, id]                               a timer is cancelled
//   ["task", l, t, id, name, function, file, line]  a task is made
//   ["wait", l, t, task, what, future, frames]      a step ends: the task waits. what: a text; frames: innermost first,
//                                                   three numbers each: function (a text), file, line
//   ["done", l, t, task, how]                       a step ends: the task is done. how: a text
//   ["ask", l, t, task, file, line]                 somebody asks the task to cancel
//   ["fut", l, t, future, how]                      a future is done
//   ["sleep", l, t, until]  ["woke", l, t, ready]   the core waits; -1: until something wakes it; it has waited
//   ["fd", l, t, fd, events]                        a descriptor is watched: 1 to read, 2 to write, 0 no more
//   ["io", l, t, fd, events]                        it is ready
//   ["post", l, t, id]                              another thread has posted an entry
//   ["out", l, t, text]                             the program has printed
//   ["full", l, t]                                  the log is full: what comes later is not in it
"use strict";

const CALLBACK = 0,
  STEP = 1,
  TIMER = 2,
  DESCRIPTOR = 3,
  POSTED = 4; // kinds of entries

/** How many finished tasks stay in sight. */
const DONE_IN_SIGHT = 4;

/** One loop of the program. What its collections hold is never changed, only replaced: so a copy of it is shallow. */
class LoopState {
  constructor(core) {
    this.core = core;
    this.closed = false;
    this.tick = 0;
    this.time = 0;
    this.ready = []; // entries, the next first
    this.running = []; // entries: an eager task runs inside another entry
    this.timers = new Map(); // by id
    this.tasks = new Map(); // those alive, by id
    this.done = []; // the last tasks that ended
    this.watched = new Map(); // descriptor → events
    this.sleeping = null; // {until} while the core waits
  }
  copy() {
    const copy = Object.assign(new LoopState(""), this);
    for (const name of ["ready", "running", "done"]) copy[name] = this[name].slice();
    for (const name of ["timers", "tasks", "watched"]) copy[name] = new Map(this[name]);
    return copy;
  }
  size() {
    return this.ready.length + this.timers.size + this.tasks.size + this.watched.size;
  }
}

/** All loops after some number of events. */
class State {
  constructor() {
    this.loops = new Map(); // by number
    this.loop = 0; // that of the last event
    this.printed = 0; // how many pieces of output
  }
  copy() {
    const copy = new State();
    copy.loop = this.loop;
    copy.printed = this.printed;
    for (const [number, loop] of this.loops) copy.loops.set(number, loop.copy());
    return copy;
  }
  current() {
    return this.loops.get(this.loop);
  }

  /** Goes one event forward. */
  apply(event) {
    const [kind, number, time] = event;
    if (kind === "loop") this.loops.set(number, new LoopState(event[3]));
    if (kind === "out") this.printed++;
    const loop = this.loops.get(number);
    if (!loop) return;
    this.loop = number;
    loop.time = time;
    const change = CHANGES[kind];
    if (change) change(loop, event);
  }
}

function replace(map, id, more) {
  const old = map.get(id);
  if (old) map.set(id, { ...old, ...more });
}

function remove(list, id) {
  const at = list.length && list[0].id === id ? 0 : list.findIndex((entry) => entry.id === id);
  return at < 0 ? null : list.splice(at, 1)[0];
}

/** One that runs without having been in the queue: an eager task, or what was there before the log began. */
function unknownEntry(id, kind) {
  return { id, kind, of: kind === STEP ? id : 0, file: 0, line: 0 };
}

const CHANGES = {
  core(loop, [, , , core]) {
    loop.core = core;
  },
  close(loop) {
    const core = loop.core;
    Object.assign(loop, new LoopState(core), { closed: true, tick: loop.tick, time: loop.time, done: loop.done });
  },
  tick(loop) {
    loop.tick++;
    loop.sleeping = null;
  },
  soon(loop, [, , , id, kind, of, file, line]) {
    loop.ready.push({ id, kind, of, file, line });
    if (kind === STEP) replace(loop.tasks, of, { state: "ready" });
  },
  run(loop, [, , , id, kind]) {
    const entry = remove(loop.ready, id) || unknownEntry(id, kind);
    loop.running.push(entry);
    if (entry.kind === STEP) replace(loop.tasks, entry.of, { state: "running", waits: 0, started: true });
  },
  skip(loop, [, , , id]) {
    remove(loop.ready, id);
  },
  ran(loop, [, , , id]) {
    while (loop.running.length && loop.running.pop().id !== id) continue;
  },
  arm(loop, [, , , id, when, file, line]) {
    loop.timers.set(id, { id, when, file, line });
  },
  due(loop, [, , , id]) {
    const timer = loop.timers.get(id) || { id, file: 0, line: 0 };
    loop.timers.delete(id);
    loop.ready.push({ id, kind: TIMER, of: id, file: timer.file, line: timer.line });
  },
  off(loop, [, , , id]) {
    if (!loop.timers.delete(id)) remove(loop.ready, id);
  },
  task(loop, [, , , id, name, coroutine, file, line]) {
    loop.tasks.set(id, {
      id,
      name,
      coroutine,
      file,
      line,
      state: "new",
      waits: 0,
      future: 0,
      asked: false,
      started: false,
      frames: [coroutine, file, line],
    });
  },
  wait(loop, [, , , id, what, future, frames]) {
    const task = loop.tasks.get(id);
    const state = loop.ready.some((entry) => entry.kind === STEP && entry.of === id) ? "ready" : "waiting";
    if (task) loop.tasks.set(id, { ...task, state, waits: what, future, frames });
  },
  done(loop, [, , , id, how]) {
    const task = loop.tasks.get(id);
    if (!task) return;
    loop.tasks.delete(id);
    loop.done.push({ ...task, state: "done", how });
    if (loop.done.length > DONE_IN_SIGHT) loop.done.shift();
  },
  ask(loop, [, , , id]) {
    replace(loop.tasks, id, { asked: true });
  },
  sleep(loop, [, , , until]) {
    loop.sleeping = { until };
  },
  woke(loop) {
    loop.sleeping = null;
  },
  fd(loop, [, , , fd, events]) {
    if (events) loop.watched.set(fd, events);
    else loop.watched.delete(fd);
  },
};

/** A log, read once from beginning to end. */
class Log {
  /** @param {string} text lines of JSON; a last line that is cut off is left out */
  constructor(text) {
    const lines = text.split("\n").filter((line) => line.startsWith("["));
    let all;
    try {
      all = JSON.parse(`[${lines.join(",")}]`);
    } catch {
      lines.pop(); // the program ended within it
      all = JSON.parse(`[${lines.join(",")}]`);
    }
    this.strings = [""];
    this.files = [{ path: "", name: "", lines: [] }];
    this.events = [];
    this.full = false;
    for (const line of all) {
      if (line[0] === "str") this.strings.push(line[1]);
      else if (line[0] === "file") this.files.push(readFile(line[1], line[2]));
      else this.events.push(line);
    }
    this.readThrough();
  }

  text(number) {
    return this.strings[number] || "";
  }

  // Keeps the state at intervals that are as long as the state is large, so that all of it together stays proportional
  // to the log. Finds the entries that run (spans), and the event that put each into the ready queue (its cause).
  readThrough() {
    const { events } = this;
    this.keyframes = [{ at: 0, state: new State() }]; // at: how many events have been applied
    this.spans = []; // from "run" to "ran"; see Span
    this.spansOf = []; // by loop: their numbers
    this.sleeps = []; // by loop: {begin, end, from, to, until}; events, and times
    this.spanAt = new Int32Array(events.length).fill(-1); // the innermost span that an event lies in
    this.taskOf = new Int32Array(events.length); // the task that an event is about
    this.ticks = []; // events that begin a tick
    this.output = []; // the pieces that were printed
    this.names = new Map(); // of all tasks
    this.compared = 0;
    this.disagreements = []; // ends of ticks where the loop counted otherwise
    const causes = new Map(); // entry → event
    const sleeping = [];
    const started = new Set(); // tasks
    const state = new State();
    const open = []; // spans, by loop
    let since = 0;
    events.forEach((event, i) => {
      const [kind, number, , id] = event;
      const stack = (open[number] ||= []);
      if (kind === "tick") this.ticks.push(i);
      if (kind === "out") this.output.push(event[3]);
      if (kind === "full") this.full = true;
      if (kind === "task") this.names.set(id, this.text(event[4]));
      if (kind === "soon" || kind === "due") causes.set(id, i);
      if (kind === "tock") this.compare(state.loops.get(number), event, i);
      state.apply(event);
      const loop = state.loops.get(number);
      if (kind === "run" && loop) {
        const entry = loop.running[loop.running.length - 1];
        const cause = causes.has(id) ? causes.get(id) : -1;
        stack.push(this.spans.length);
        (this.spansOf[number] ||= []).push(this.spans.length);
        this.spans.push(new Span(i, events.length - 1, number, loop, entry, cause));
        if (entry.kind === STEP) this.spans[this.spans.length - 1].first = !started.has(entry.of);
        if (entry.kind === STEP) started.add(entry.of);
      }
      if (kind === "sleep") sleeping[number] = { begin: i, end: i, from: event[2], to: event[2], until: event[3] };
      if (kind === "woke" && sleeping[number]) {
        (this.sleeps[number] ||= []).push(Object.assign(sleeping[number], { end: i, to: event[2] }));
        sleeping[number] = null;
      }
      if (stack.length) this.spanAt[i] = stack[stack.length - 1];
      if (stack.length) this.spans[stack[stack.length - 1]].note(event);
      if (kind === "ran" && stack.length) this.spans[stack.pop()].end = i;
      this.taskOf[i] = this.about(event, stack);
      const size = state.loops.size + (loop ? loop.size() : 0);
      if (++since >= Math.max(500, 4 * size)) {
        this.keyframes.push({ at: i + 1, state: state.copy() });
        since = 0;
      }
    });
  }

  about(event, stack) {
    const [kind, , , id] = event;
    if (["task", "wait", "done", "ask"].includes(kind)) return id;
    if (kind === "soon") return event[4] === STEP ? event[5] : 0;
    if (!stack.length && kind !== "ran") return 0;
    const span = this.spans[stack.length ? stack[stack.length - 1] : this.spans.length - 1];
    return span && span.entry.kind === STEP ? span.entry.of : 0;
  }

  compare(loop, [, , , ready, timers], at) {
    if (!loop || ready === undefined) return;
    this.compared++;
    if (loop.ready.length !== ready)
      this.disagreements.push(`event ${at}: ready ${loop.ready.length}, the loop: ${ready}`);
    if (loop.timers.size !== timers)
      this.disagreements.push(`event ${at}: timers ${loop.timers.size}, the loop: ${timers}`);
  }

  /** The state after the first `count` events. */
  state(count) {
    let low = 0;
    let high = this.keyframes.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.keyframes[middle].at <= count) low = middle;
      else high = middle;
    }
    const state = this.keyframes[low].state.copy();
    for (let i = this.keyframes[low].at; i < count; i++) state.apply(this.events[i]);
    return state;
  }

  /** The event that put the entry which runs at event `i` into the ready queue, or -1. */
  causeOf(i) {
    const span = this.spans[this.spanAt[i]];
    return span ? span.cause : -1;
  }

  /** The span that was running when event `i` happened, or null: then it was the loop itself, or code outside it. */
  spanOf(i) {
    return i >= 0 && this.spanAt[i] >= 0 ? this.spans[this.spanAt[i]] : null;
  }
}

/** One run of a callback, or one step of a task. */
class Span {
  constructor(begin, end, number, loop, entry, cause) {
    this.begin = begin; // events
    this.end = end;
    this.loop = number;
    this.tick = loop.tick;
    this.entry = entry;
    this.cause = cause; // the event that put it into the ready queue, or -1
    const task = entry.kind === STEP ? loop.tasks.get(entry.of) : null;
    this.frames = task ? task.frames : [];
    this.first = false; // step of its task
    this.printed = ""; // in it
    this.waits = null; // how it ended: what the task waits for then, a text's number …
    this.done = null; // … or how it is done
  }
  note([kind, , , id, what]) {
    if (kind === "out") this.printed += id;
    if (this.entry.kind !== STEP || id !== this.entry.of) return;
    if (kind === "wait") this.waits = what;
    if (kind === "done") this.done = what;
  }
}

function readFile(path, source) {
  return { path, name: path.replace(/^.*\//, ""), lines: source ? source.split("\n") : [] };
}

// The first index whose value is not less.
function lowerBound(sorted, value, of = (one) => one) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (of(sorted[middle]) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
