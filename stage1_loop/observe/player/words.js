// Events, entries and times in words.
"use strict";

/** 0.1 s, 12.5 ms, 3 µs */
function duration(microseconds) {
  const short = (value) => String(Number(value.toPrecision(3)));
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
  if (microseconds < 1e5) return `${short(microseconds / 1000)} ms`;
  if (microseconds < 6e7) return `${short(microseconds / 1e6)} s`;
  if (microseconds < 36e8) return `${short(microseconds / 6e7)} min`;
  return `${short(microseconds / 36e8)} h`;
}

function many(count, one, more = `${one}s`) {
  return `${count === 0 ? "no" : count.toLocaleString("en")} ${count === 1 ? one : more}`;
}

function plain(text) {
  return text.replace(/\n$/, "").replace(/\n/g, " ⏎ ");
}

class Words {
  /** @param {Log} log */
  constructor(log) {
    this.log = log;
  }

  place(file, line) {
    return file ? this.log.files[file].name + this.line(file, line) : "";
  }

  /** A picture leaves out the lines that change without the demo. */
  line(file, line) {
    return `:${line}`;
  }

  at(file, line) {
    return file ? ` at ${this.place(file, line)}` : "";
  }

  task(id) {
    return this.log.names.get(id) || `task ${id}`;
  }

  /** A picture gives them other names: their numbers differ from run to run. */
  descriptor(fd) {
    return String(fd);
  }

  /** What an entry of the ready queue is. */
  entry({ kind, of, file, line }) {
    if (kind === STEP) return `step of ${this.task(of)}`;
    if (kind === TIMER) return `timer${this.from(file, line)}`;
    if (kind === DESCRIPTOR) return `callback of descriptor ${of}`;
    return `callback${this.from(file, line)}${kind === POSTED ? ", posted by a thread" : ""}`;
  }

  from(file, line) {
    return file ? ` from ${this.place(file, line)}` : "";
  }

  /** Who runs at event `i`: a task, a callback, or the program outside the loop. */
  who(i) {
    const span = this.log.spanOf(i);
    if (!span) return "the program";
    const { entry } = span;
    return entry.kind === STEP ? this.task(entry.of) : `the ${this.entry(entry)}`;
  }

  until(when, now) {
    if (when < 0) return "until something wakes it";
    return when > now ? `until ${duration(when)}` : "for no time";
  }

  events(mask) {
    return mask === 3 ? "to read and to write" : mask === 2 ? "to write" : "to read";
  }

  frame(frames) {
    return frames.length ? `${this.log.text(frames[0])}()${this.at(frames[1], frames[2])}` : "its coroutine";
  }

  /**
   * @param {number} i the event
   * @param {State} before the state before it
   */
  say(i, before) {
    const event = this.log.events[i];
    const loop = before.loops.get(event[1]) || new LoopState(0);
    const sentence = SENTENCES[event[0]];
    const text = sentence ? sentence(this, event, loop, i) : event[0];
    return text.charAt(0).toUpperCase() + text.slice(1);
  }
}

const SENTENCES = {
  loop: (w, [, number, , core]) => `loop ${number} appears${core ? `; it waits in a ${w.log.text(core)}` : ""}.`,
  core: (w, [, number, , core]) =>
    `loop ${number} has changed its core, and waits in a ${w.log.text(core)} from now on.`,
  close: (w, [, number]) => `loop ${number} is closed.`,
  tick: (w, event, loop) =>
    `tick ${loop.tick + 1} begins: ${loop.ready.length ? `${many(loop.ready.length, "entry", "entries")} ready` : "nothing is ready"}.`,
  tock: (w, event, loop) => `tick ${loop.tick} ends.`,
  soon(w, [, , , id, kind, of, file, line], loop, i) {
    const what = w.entry({ kind, of, file, line });
    if (kind === DESCRIPTOR || kind === POSTED) return `the ${what} goes into the ready queue.`;
    if (kind === STEP && w.log.spanOf(i) && w.log.spanOf(i).entry.of === of)
      return `${w.task(of)} yields: its next step goes into the ready queue.`;
    if (kind === STEP && loop.tasks.has(of) && loop.tasks.get(of).started)
      return `${w.who(i)} wakes ${w.task(of)}: its next step goes into the ready queue.`;
    if (kind === STEP) return `the first step of ${w.task(of)} goes into the ready queue.`;
    return `${w.who(i)} puts the ${what} into the ready queue.`;
  },
  run(w, [, , , id, kind], loop) {
    const entry = loop.ready.find((one) => one.id === id) || unknownEntry(id, kind);
    const task = entry.kind === STEP && loop.tasks.get(entry.of);
    if (!task) return `the ${w.entry(entry)} runs.`;
    if (!task.started) return `${w.task(task.id)} begins: ${w.frame(task.frames)}.`;
    return `${w.task(task.id)} goes on in ${w.frame(task.frames)}.`;
  },
  skip(w, [, , , id], loop) {
    const entry = loop.ready.find((one) => one.id === id);
    return `the ${entry ? w.entry(entry) : "callback"} was cancelled, and is skipped.`;
  },
  ran(w, [, , , id], loop) {
    const entry = loop.running.find((one) => one.id === id);
    return entry ? `the ${w.entry(entry)} is over.` : "a callback is over.";
  },
  arm(w, [, , time, id, when, file, line], loop, i) {
    if (when < 0) return `${w.who(i)} sets a timer${w.at(file, line)} that is never due.`;
    return `${w.who(i)} sets a timer${w.at(file, line)}, due at ${duration(Math.max(0, when))}.`;
  },
  due(w, [, , , id], loop) {
    const timer = loop.timers.get(id);
    return `the timer${timer ? w.from(timer.file, timer.line) : ""} is due, and goes into the ready queue.`;
  },
  off(w, [, , , id], loop, i) {
    const what = loop.timers.has(id) ? "a timer" : "a callback";
    const { file = 0, line = 0 } = loop.timers.get(id) || loop.ready.find((entry) => entry.id === id) || {};
    return `${w.who(i)} cancels ${what}${w.from(file, line)}.`;
  },
  task: (w, [, , , id, name, coroutine], loop, i) => `${w.who(i)} makes ${w.task(id)} of ${w.log.text(coroutine)}().`,
  wait(w, [, , , id, what, future, frames]) {
    return `${w.task(id)} waits for ${w.log.text(what) || "the next tick"}, in ${w.frame(frames)}.`;
  },
  done: (w, [, , , id, how]) => `${w.task(id)} is done: ${w.log.text(how)}.`,
  ask: (w, [, , , id, file, line], loop, i) => `${w.who(i)} asks ${w.task(id)} to cancel${w.at(file, line)}.`,
  fut(w, [, , , future, how], loop, i) {
    const waiting = [...loop.tasks.values()].filter((task) => task.future === future && task.state === "waiting");
    const names = waiting.map((task) => w.task(task.id)).join(", ");
    return `a future is done${how ? ` (${w.log.text(how)})` : ""}${names ? `: ${names} waited for it` : ""}.`;
  },
  sleep(w, [, , time, until], loop) {
    const asleep = [...loop.tasks.values()].find((task) => task.state === "waiting");
    const reason = asleep ? `${w.task(asleep.id)} waits for ${w.log.text(asleep.waits)}; ` : "";
    if (loop.ready.length || (until >= 0 && until <= time))
      return "the loop looks at its descriptors, and does not wait.";
    return `${reason}the loop has nothing ready, and sleeps ${w.until(until, time)}.`;
  },
  woke: (w, [, , , ready]) => `the loop wakes${ready > 0 ? `: ${many(ready, "descriptor")} ready` : ""}.`,
  fd: (w, [, , , fd, mask], loop, i) =>
    mask
      ? `${w.who(i)} watches descriptor ${fd} ${w.events(mask)}.`
      : `${w.who(i)} no longer watches descriptor ${fd}.`,
  io: (w, [, , , fd, mask]) => `descriptor ${fd} is ready ${w.events(mask)}.`,
  post: () => "another thread has posted a callback, and wakes the loop.",
  out: (w, [, , , text], loop, i) => `${w.who(i)} prints “${plain(text)}”.`,
  full: () => "the log is full. What happened later is not in this page.",
};
