// The player around a log, as watch() writes it; and its scripts, for tests that need no browser.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const folder = new URL("../../stage1_loop/observe/player/", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const scripts = ["log.js", "words.js", "lanes.js", "page.js"].map(read).join("\n");

/** @param {unknown[][]} lines */
export function makePage(lines, program = "a program") {
  const page = read("page.html").replace(/<\/body>\s*<\/html>\s*$/, "");
  const log = lines.map((line) => JSON.stringify(line).replaceAll("<", "\\u003c")).join("\n");
  return (
    page.replace("/* STYLE */", () => read("player.css")).replace("/* SCRIPT */", () => scripts) +
    `<script type="application/json" id="log" data-program="${program}">\n${log}\n</script></body></html>\n`
  );
}

/** What the scripts define. */
export function loadPlayer() {
  const names = "{ Log, State, LoopState, Words, duration, lanes, PICTURE_STYLE, STEP }";
  return vm.runInThisContext(`(() => {${scripts}\nreturn ${names};})()`);
}

/** The text of the log in a page that watch() wrote. */
export function logOf(html) {
  return html.slice(html.indexOf('id="log"')).split("</script>")[0];
}

/** A log of at least `count` events: tasks that sleep, are woken by timers, and print. */
export function makeLog(count, tasks = 2000) {
  const lines = [
    ["str", "VirtualCore"],
    ["str", "worker"],
    ["str", "sleep"],
    ["str", "result=None"],
    ["file", "worker.cpp", "Coro<> worker() {\n  for (;;) co_await sleep(1ms);\n}\n"],
    ["loop", 1, 0, 1],
  ];
  let texts = 4;
  let events = 1;
  const push = (...event) => {
    lines.push(event);
    events++;
  };
  for (let task = 1; task <= tasks; task++) {
    lines.push(["str", `Task-${task}`]);
    push("task", 1, 0, task, ++texts, 2, 1, 1);
    push("soon", 1, 0, task, 1, task, 0, 0);
  }
  push("tick", 1, 0);
  for (let task = 1; task <= tasks; task++) {
    push("run", 1, 0, task, 1);
    push("arm", 1, 0, tasks + task, 1000 * task, 0, 0);
    push("wait", 1, 0, task, 3, tasks + task, [2, 1, 2]);
    push("ran", 1, 0, task);
  }
  push("tock", 1, 0);
  for (let round = 1; events < count; round++) {
    for (let task = 1; task <= tasks && events < count; task++) {
      const time = 1000 * (task + (round - 1) * tasks);
      const timer = tasks * round + task;
      push("tick", 1, time - 1000);
      push("sleep", 1, time - 1000, time);
      push("woke", 1, time, 0);
      push("due", 1, time, timer);
      push("run", 1, time, timer, 2);
      push("soon", 1, time, task, 1, task, 0, 0);
      push("ran", 1, time, timer);
      push("tock", 1, time);
      push("tick", 1, time);
      push("run", 1, time, task, 1);
      push("out", 1, time, `Task-${task} in round ${round}\n`);
      push("arm", 1, time, timer + tasks, time + 1000 * tasks, 0, 0);
      push("wait", 1, time, task, 3, timer + tasks, [2, 1, 2]);
      push("ran", 1, time, task);
      push("tock", 1, time);
    }
  }
  return lines;
}
