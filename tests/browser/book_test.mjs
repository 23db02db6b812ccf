// book_test.mjs: the site that book/build.sh made, in the folder $BOOK, in Debian's Chromium. book.sh runs it. Pages are read
// from the disk, as somebody without a server reads them; search is tried on a server as well.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize, relative } from "node:path";
import { after, before, test } from "node:test";

const book = process.env.BOOK;
const require = createRequire(`${process.env.NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const all = readdirSync(book, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".html"));
const players = all.filter((name) => name.startsWith("watch/"));
const pages = all.filter((name) => !players.includes(name));
const written = pages.filter((name) => !name.startsWith("source/"));
const html = new Map(pages.map((name) => [name, readFileSync(join(book, name), "utf8")]));
const PHONE = { viewport: { width: 360, height: 740 } };

let browser, server, address;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
    timeout: 120_000,
  });
  const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json" };
  server = createServer((request, response) => {
    const file = join(book, normalize(decodeURIComponent(new URL(request.url, "http://x").pathname)));
    try {
      const data = readFileSync(file);
      response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
      response.end(data);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${server.address().port}/`;
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** Opens pages in one tab; fails at the end if one of them complained, or asked for anything but the book. */
async function withTab({ search = false, ...options }, body) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(180_000); // only a hang takes longer, on a busy machine too
  const complaints = [];
  const complain = (what) => complaints.push(`${page.url().replace(`file://${book}/`, "")}: ${what}`);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complain(message.text()));
  page.on("pageerror", (error) => complain(`${error}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!/^(file|data|blob|about):/.test(url) && !url.startsWith(address)) complain(`asks for ${url}`);
  });
  // To load the index on each page takes longer than all the rest.
  if (!search)
    await page.route(/search_index\.js$/, (route) =>
      route.fulfill({ body: "__search = { index: new Promise(() => {}) };" }),
    );
  const open = async (name, base = `file://${book}/`) => {
    await page.goto(base + name);
    await page.waitForFunction(() => !document.querySelector(".diagram") || document.body.dataset.drawn);
  };
  await body(page, open);
  await context.close();
  assert.deepEqual(complaints, []);
}

test("it has what the README promises", () => {
  assert.ok(written.length > 120, `${written.length} pages`);
  for (const stage of ["1_loop", "2_future", "3_task", "4_combinators", "5_sync", "6_io"]) {
    assert.ok(pages.includes(`stage${stage}/index.html`));
    assert.ok(pages.includes(`stage${stage}/ANSWERS.html`));
  }
  const others = "index GLOSSARY ARCHITECTURE CHANGELOG stage3_task/coroutines tests/performance/index reference/loop";
  for (const name of others.split(" ")) assert.ok(pages.includes(`${name}.html`), name);
  assert.equal(players.length, 6);
});

test("no link is dead, neither to a page nor to a place in one", () => {
  const ids = new Map();
  const idsOf = (name) => {
    if (!ids.has(name)) ids.set(name, new Set([...html.get(name).matchAll(/ id="([^"]+)"/g)].map((found) => found[1])));
    return ids.get(name);
  };
  const dead = [];
  let checked = 0;
  for (const [name, text] of html) {
    for (const [, link] of text.matchAll(/<(?:a|img|iframe|script|link)\b[^>]*? (?:href|src)="([^"]*)"/g)) {
      if (/^(https?|mailto|data):/.test(link) || link === "") continue;
      const [path, anchor] = link.replaceAll("&amp;", "&").split("#");
      const target = path ? normalize(join(dirname(name), path)) : name;
      checked++;
      try {
        if (!statSync(join(book, target)).isFile() && target !== ".") dead.push(`${name}: ${link}`);
      } catch {
        dead.push(`${name}: ${link}`);
        continue;
      }
      if (anchor && html.has(target) && !idsOf(target).has(decodeURIComponent(anchor))) dead.push(`${name}: ${link}`);
    }
  }
  assert.ok(checked > 10_000);
  assert.deepEqual([...new Set(dead)], []);
});

test("`next` leads from the README through all lessons and headers, `previous` back", () => {
  const link = (name, rel) => {
    const found = html.get(name).match(new RegExp(`<a href="([^"]+)"[^>]*rel="${rel}"`));
    return found && normalize(join(dirname(name), found[1]));
  };
  const way = ["index.html"];
  for (let next; (next = link(way.at(-1), "next")) && !way.includes(next);) {
    assert.equal(link(next, "prev"), way.at(-1));
    way.push(next);
  }
  for (const stage of ["1_loop", "2_future", "3_task", "4_combinators", "5_sync", "6_io"])
    assert.ok(way.includes(`stage${stage}/index.html`), stage);
  for (const header of ["1_loop/asyncio/loop", "3_task/asyncio/task", "6_io/5_streams/asyncio/streams"])
    assert.ok(way.includes(`source/stage${header}.h.html`), header);
  assert.ok(way.length > 90, `${way.length} pages`);
});

test("each page loads without a complaint, and is no wider than a telephone", () =>
  withTab(PHONE, async (page, open) => {
    const sources = pages.filter((name) => name.startsWith("source/"));
    const wide = [];
    for (const name of [...written, ...sources.filter((_, i) => i % 40 === 0)]) {
      await open(name);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 360) wide.push(`${name}: ${width}`);
    }
    assert.deepEqual(wide, []);
  }));

// Of all rules, these depend on the colours: in the dark the others would find what they found in the light.
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];
for (const colorScheme of ["light", "dark"]) {
  const rules = colorScheme === "dark" ? { runOnly: { type: "rule", values: COLOUR_RULES } } : {};
  test(`axe finds nothing serious: ${colorScheme}`, () =>
    withTab({ colorScheme }, async (page, open) => {
      const found = [];
      const chosen =
        "index stage1_loop/index stage2_future/index stage3_task/coroutines GLOSSARY tests/performance/index";
      const made = "reference/loop reference/task reference/from-python source/stage3_task/asyncio/task.h";
      for (const name of `${chosen} ${made}`.split(" ")) {
        await open(`${name}.html`, address); // axe fetches the style sheets
        await page.evaluate(axe);
        const options = { iframes: false, resultTypes: ["violations"], ...rules };
        const { violations } = await page.evaluate((given) => window.axe.run(document, given), options);
        for (const { id, impact, nodes } of violations)
          if (["serious", "critical"].includes(impact))
            found.push(
              `${name}: ${id}: ${nodes
                .slice(0, 3)
                .map((node) => node.html.slice(0, 150))
                .join(" | ")}`,
            );
      }
      assert.deepEqual(found, []);
    }));
}

for (const where of ["from the disk", "from a server"]) {
  test(`search finds what is there: ${where}`, () =>
    withTab({ search: true }, async (page, open) => {
      await open("stage1_loop/index.html", where === "from a server" ? address : undefined);
      for (const [word, expected] of [
        ["gather", /stage4_combinators\/index\.html|gather\.html/],
        ["snapshot", /\.html/],
        ["call_soon", /loop\.html/],
      ]) {
        await page.click(".md-search__input");
        await page.fill(".md-search__input", "");
        await page.keyboard.type(word);
        await page.waitForFunction(
          ([text, link]) =>
            [...document.querySelectorAll(".md-search-result__item")].some((item) =>
              item.textContent.toLowerCase().includes(text),
            ) &&
            [...document.querySelectorAll(".md-search-result__link")].some((each) => new RegExp(link).test(each.href)),
          [word, expected.source],
        );
      }
    }));
}

test("the tables of names can be filtered", () =>
  withTab({}, async (page, open) => {
    await open("reference/from-python.html");
    const shown = () =>
      page.$$eval("table tbody tr", (rows) => rows.filter((row) => !row.hidden).map((row) => row.innerText));
    const before = (await shown()).length;
    assert.ok(before > 300);
    await page.fill("#filter", "asyncio.gather");
    const rows = await shown();
    assert.equal(rows.length, 1);
    assert.match(rows[0], /gather/);
    assert.equal(await page.textContent("#filtered"), `1 of ${before}`);
    await page.click("table tbody tr:not([hidden]) td:nth-child(2) a");
    await page.waitForURL(/gather\.html#gather$/);
    await open("reference/from-cpp.html");
    await page.fill("#filter", "TaskGroup::create_task");
    assert.equal((await shown()).length, 1);
  }));

test("a lesson plays its demo", () =>
  withTab({}, async (page, open) => {
    await open("stage3_task/index.html");
    await page.click(".player summary");
    const player = page.frameLocator(".player iframe");
    await player.locator("#words:not(:empty)").waitFor();
    await player.locator("#forward").click();
  }));

test("code can be copied, and a quote leads to its line", () =>
  withTab({ permissions: ["clipboard-read", "clipboard-write"] }, async (page, open) => {
    await open("stage2_future/index.html", address);
    const quote = page.locator(".highlight:has(.filename)").first();
    await quote.scrollIntoViewIfNeeded();
    await quote.hover();
    await quote.locator(".md-clipboard").click();
    await page.waitForFunction(async () => (await navigator.clipboard.readText()) !== "");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^\/\/\/ What a cancelled await throws\.[^]*InvalidStateError : std::exception/);
    await quote.locator(".filename").click();
    await page.waitForURL(/by_hand\/future\.h\.html#L-\d+$/);
    assert.match(await page.locator(":target").textContent(), /cancelled await/);
  }));

test("light or dark is remembered, and the diagrams follow", () =>
  withTab({ colorScheme: "light" }, async (page, open) => {
    await open("stage2_future/index.html");
    assert.equal(await page.getAttribute("body", "data-drawn"), "light");
    await page.click(".md-header__option label:not([hidden])");
    await page.waitForFunction(() => document.body.dataset.drawn === "dark");
    await open("source/stage1_loop/asyncio/loop.h.html");
    assert.equal(await page.getAttribute("body", "data-md-color-scheme"), "slate");
  }));

test("in print, nothing is cut off and nothing is there but the text", () =>
  withTab({ viewport: { width: 700, height: 1000 } }, async (page, open) => {
    await open("stage3_task/index.html");
    await page.emulateMedia({ media: "print" });
    const cut = await page.$$eval("article pre, article table, article img, article svg", (all) =>
      all
        .filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth)
        .map((each) => each.outerHTML.slice(0, 100)),
    );
    assert.deepEqual(cut, []);
    for (const gone of [".md-header", ".md-sidebar", ".md-footer", ".player", ".md-clipboard"])
      assert.ok(!(await page.locator(gone).first().isVisible()), gone);
    const pdf = await page.pdf({ format: "A4" });
    assert.ok(pdf.length > 50_000);
  }));
