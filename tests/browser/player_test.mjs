// player_test.mjs FOLDER: the pages that the demos wrote into FOLDER (stage3.html, beside it stage3.out, what the demo
// printed), in Debian's Chromium. run.sh makes them. No test measures a time but those of 100,000 events, whose limits
// are generous.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { makeLog, makePage } from "./page.mjs";

const folder = process.env.WATCHED;
const require = createRequire(`${process.env.NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const stages = readdirSync(folder)
  .filter((name) => /^stage\d\.html$/.test(name))
  .sort();

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
    timeout: 120_000,
  });
});
after(() => browser?.close());

/** Opens a page, and fails at the end if it complained. It has no network: a request would be a complaint. */
async function withPage(file, options, body) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, offline: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(180_000); // only a hang takes longer, on a busy machine too
  const complaints = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`${error}`));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(`file://${file.startsWith("/") ? file : `${folder}/${file}`}`);
  await page.waitForSelector("#words:not(:empty)");
  await body(page);
  await context.close();
  assert.deepEqual(complaints, []);
}

function written(name, html) {
  writeFileSync(`${folder}/${name}`, html);
  return name;
}

const last = (page) => page.evaluate(() => player.last);
const at = (page) => page.evaluate(() => player.at);
const go = (page, i) => page.evaluate((event) => player.go(event), i);
/** All that the page says of the present state. */
const shown = (page) =>
  page.evaluate(() =>
    ["words", "where", "ready", "timers", "tasks", "fds", "output"]
      .map((id) => `${id}: ${document.getElementById(id).innerText}`)
      .join("\n"),
  );

test("there is a page of every demo", () => {
  assert.deepEqual(
    stages,
    [1, 2, 3, 4, 5, 6].map((stage) => `stage${stage}.html`),
  );
});

for (const stage of stages) {
  test(`${stage}: at the end stands what the demo printed, and all its loops are done`, () =>
    withPage(stage, {}, async (page) => {
      await page.keyboard.press("End");
      assert.equal(await at(page), await last(page));
      const printed = readFileSync(`${folder}/${stage.replace("html", "out")}`, "utf8");
      assert.ok(printed.length > 100);
      assert.equal(await page.evaluate(() => player.log.output.join("")), printed);
      assert.ok(printed.endsWith(await page.locator("#output").textContent()));
      const left = await page.evaluate(() =>
        [...player.current.loops.values()].map((loop) => [loop.ready.length, loop.tasks.size, loop.running.length]),
      );
      assert.ok(left.length > 0);
      for (const loop of left) assert.deepEqual(loop, [0, 0, 0]);
    }));

  test(`${stage}: at the end of each tick, the page's queue and timers are as many as the loop itself counts`, () =>
    withPage(stage, {}, async (page) => {
      const [compared, disagreements] = await page.evaluate(() => [player.log.compared, player.log.disagreements]);
      assert.ok(compared > 5);
      assert.deepEqual(disagreements, []);
    }));

  test(`${stage}: forward, back and by a jump one comes to the same state`, () =>
    withPage(stage, {}, async (page) => {
      const differing = await page.evaluate(() => {
        const text = (state) =>
          JSON.stringify(state, (_, value) =>
            value instanceof Map ? [...value.entries()].sort((a, b) => a[0] - b[0]) : value,
          );
        const forward = [];
        const state = new State();
        for (const event of player.log.events) {
          state.apply(event);
          forward.push(text(state));
        }
        const wrong = [];
        for (let i = player.last; i >= 0; i -= 1 + (i % 7)) {
          if (text(player.log.state(i + 1)) !== forward[i]) wrong.push(i);
        }
        return wrong;
      });
      assert.deepEqual(differing, []);

      const end = await last(page);
      for (const i of [1, end >> 2, end >> 1, end - 2]) {
        await go(page, i);
        const jumped = await shown(page);
        await page.keyboard.press("ArrowRight");
        assert.equal(await at(page), i + 1);
        await page.keyboard.press("ArrowLeft");
        assert.equal(await shown(page), jumped);
        await page.keyboard.press("ArrowLeft");
        await page.keyboard.press("ArrowRight");
        assert.equal(await shown(page), jumped);
      }
    }));

  test(`${stage}: 360 points wide, nothing is scrolled sideways but the picture and the source`, () =>
    withPage(stage, { viewport: { width: 360, height: 740 } }, async (page) => {
      const end = await last(page);
      for (let part = 0; part <= 10; part++) {
        await go(page, Math.floor((end * part) / 10));
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, `event ${part}/10`);
      }
    }));
}

test("each event has a sentence, and no sentence speaks of what is not known", () =>
  withPage("stage6.html", {}, async (page) => {
    const sentences = await page.evaluate(() => {
      const state = new State();
      return player.log.events.map((event, i) => {
        const sentence = player.words.say(i, state);
        state.apply(event);
        return sentence;
      });
    });
    assert.deepEqual(
      sentences.filter((one) => /undefined|null|NaN|\[object/.test(one) || !/^.{8,}[.”]$/su.test(one)),
      [],
    );
  }));

test("the page names the core that the loop moved to with its first descriptor", () =>
  withPage("stage6.html", {}, async (page) => {
    await page.keyboard.press("End");
    assert.match(await page.locator("#where").textContent(), /AutoCore/);
  }));

test("W goes to the event that woke what runs now, and B back", () =>
  withPage("stage3.html", {}, async (page) => {
    const wakes = await page.evaluate(() =>
      player.log.spans.filter((span) => span.entry.kind === STEP && !span.first).map((span) => span.begin),
    );
    assert.ok(wakes.length > 10);
    for (const begin of wakes.slice(0, 10)) {
      await go(page, begin);
      const id = await page.evaluate(() => player.log.events[player.at][3]);
      await page.keyboard.press("w");
      const cause = await page.evaluate(() => player.log.events[player.at]);
      assert.equal(cause[3], id);
      assert.ok(["soon", "wait"].includes(cause[0]), cause[0]);
      assert.ok((await at(page)) < begin);
      await page.keyboard.press("b");
      assert.equal(await at(page), begin);
    }
  }));

test("the keys and the buttons step by event and by tick", () =>
  withPage("stage3.html", {}, async (page) => {
    const kind = () => page.evaluate(() => player.log.events[player.at][0]);
    await page.keyboard.press("Shift+ArrowRight");
    assert.equal(await kind(), "tick");
    const first = await at(page);
    await page.click("#tick-forward");
    assert.equal(await kind(), "tick");
    assert.ok((await at(page)) > first);
    await page.keyboard.press("Shift+ArrowLeft");
    assert.equal(await at(page), first);
    await page.click("#forward");
    assert.equal(await at(page), first + 1);
    await page.click("#back");
    assert.equal(await at(page), first);
    await page.keyboard.press("Home");
    assert.equal(await at(page), 0);
    assert.ok(await page.locator("#back").isDisabled());
  }));

test("it plays at a speed, until the end or a pause", () =>
  withPage("stage1.html", {}, async (page) => {
    const speed = async (events) => {
      await page.selectOption("#speed", events);
      await page.locator("#words").click(); // the keys belong to the page again
    };
    assert.ok((await last(page)) > 100);
    await speed("10"); // so slow that it is not at the end before the pause
    await page.keyboard.press(" ");
    assert.equal(await page.getAttribute("#play", "aria-label"), "Pause");
    await page.waitForFunction(() => player.at > 3);
    await page.keyboard.press(" ");
    assert.equal(await page.getAttribute("#play", "aria-label"), "Play");
    const paused = await at(page);
    await speed("1000");
    await page.keyboard.press(" ");
    await page.waitForFunction(() => player.at === player.last && !player.playing);
    assert.ok((await at(page)) > paused);
  }));

test("the slider scrubs", () =>
  withPage("stage2.html", {}, async (page) => {
    await page.locator("#scrub").fill("17");
    assert.equal(await at(page), 17);
    assert.match(await page.getAttribute("#scrub", "aria-valuetext"), /^Event 18 of /);
  }));

test("with a filter, steps keep to one task", () =>
  withPage("stage3.html", {}, async (page) => {
    const name = await page.evaluate(() => [...player.log.names.values()][1]);
    await page.fill("#filter", name);
    const chosen = await page.evaluate(() => player.chosen);
    assert.ok(chosen > 0);
    for (let step = 0; step < 8; step++) {
      await page.click("#forward");
      assert.equal(await page.evaluate(() => player.log.taskOf[player.at]), chosen);
    }
    await page.fill("#filter", "no such task");
    assert.equal(await page.getAttribute("#filter", "aria-invalid"), "true");
  }));

test("the source shows the line that a task goes on with", () =>
  withPage("stage3.html", {}, async (page) => {
    const begin = await page.evaluate(
      () => player.log.spans.find((span) => span.entry.kind === STEP && !span.first).begin,
    );
    await go(page, begin);
    assert.match(await page.locator("#source .here").textContent(), /co_await/);
    assert.match(await page.locator("#source-name").textContent(), /^demo\.cpp, line \d+$/);
  }));

for (const options of [
  { colorScheme: "light" },
  { colorScheme: "dark" },
  { colorScheme: "light", viewport: { width: 360, height: 740 } },
]) {
  test(`axe finds no fault: ${JSON.stringify(options)}`, () =>
    withPage("stage3.html", options, async (page) => {
      const faults = async (what) => {
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run());
        assert.deepEqual(
          violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map((node) => node.html).join(" ")}`),
          [],
        );
      };
      const end = await last(page);
      for (const i of [0, end >> 1, end]) {
        await go(page, i);
        await faults(`event ${i}`);
      }
      await page.keyboard.press("?");
      await faults("help");
    }));
}

test("the colours can be chosen", () =>
  withPage("stage1.html", { colorScheme: "light" }, async (page) => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.keyboard.press("t");
    assert.notEqual(await ground(), light);
    await page.keyboard.press("t");
    assert.equal(await ground(), light);
  }));

test("at the end stands the state that the program logged itself", () =>
  withPage("state.html", {}, async (page) => {
    const logged = JSON.parse(readFileSync(`${folder}/state.json`, "utf8"));
    await page.keyboard.press("End");
    const state = await page.evaluate(() => {
      const loop = player.current.current();
      return {
        ready: loop.ready.length,
        timers: loop.timers.size,
        tasks: [...loop.tasks.values()].map((task) => [player.log.text(task.name), task.state]),
      };
    });
    for (const { tasks } of [state, logged]) tasks.sort();
    assert.deepEqual(state, logged);
    const strange = `</script>"<b title='協程'>\\\n&amp;`; // the name of a task: text, wherever it stands
    assert.ok(logged.tasks.some(([name]) => name === strange));
    assert.ok((await page.locator("#tasks").textContent()).includes(strange));
    assert.ok((await page.locator("#lanes").textContent()).includes(`</script>"<b tit`));
    assert.equal(await page.locator(`[title="协程"]`).count(), 0);
    // What it printed ends no <script>, and is shown letter by letter.
    assert.match(await page.locator("#output").textContent(), /<\/script><b>\\ "协程"\t<!--/);
  }));

test("the log of a program that crashed in a callback is whole up to that callback", () =>
  withPage("crash.html", {}, async (page) => {
    await page.keyboard.press("End");
    assert.match(await page.locator("#words").textContent(), /callback from state\.cpp:\d+ runs/);
    assert.match(await page.locator("#output").textContent(), /before the crash/);
  }));

test("a log that ends within a line is played up to it", () => {
  const html = readFileSync(`${folder}/stage3.html`, "utf8");
  const cut = written("cut.html", html.slice(0, html.lastIndexOf('["run"') + 9));
  return withPage(cut, {}, async (page) => assert.ok((await last(page)) > 100));
});

test("a log that is full says so", () =>
  withPage("full.html", {}, async (page) => {
    assert.match(await page.locator("#note").textContent(), /full/);
    assert.equal(await last(page), 49);
    await page.keyboard.press("End");
    assert.match(await page.locator("#words").textContent(), /The log is full/);
  }));

test("100,000 events: first picture within 50 s, a step within 1 s, few elements", () =>
  withPage(written("large.html", makePage(makeLog(100_000), "large")), {}, async (page) => {
    const first = await page.evaluate(() => performance.now());
    assert.ok(first < 50_000, `first picture after ${first} ms`);
    const end = await last(page);
    assert.ok(end >= 99_999);
    const longest = await page.evaluate(() => {
      let most = 0;
      const measured = (action) => {
        let least = Infinity; // of three: the machine may do something else in one of them
        for (let i = 0; i < 3; i++) {
          const begin = performance.now();
          action();
          document.body.getBoundingClientRect(); // with the layout
          least = Math.min(least, performance.now() - begin);
        }
        most = Math.max(most, least);
      };
      for (const i of [90_000, 50_000, 99_000, 10]) measured(() => player.go(i));
      for (let i = 0; i < 20; i++) measured(() => player.step(1));
      player.go(95_000);
      for (let i = 0; i < 5; i++) measured(() => player.step(-1));
      for (let i = 0; i < 5; i++) measured(() => player.stepTick(-1));
      return most;
    });
    assert.ok(longest < 1000, `a step took ${longest} ms`);
    assert.ok((await page.evaluate(() => document.querySelectorAll("*").length)) < 2000);
    process.stdout.write(
      `# 100,000 events: first picture ${Math.round(first)} ms, longest step ${Math.round(longest)} ms\n`,
    );
  }));
