// Opens every HTML page: the start page, the help pages of contract elw, the pages about problems,
// the list of the documentation and the guides.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  accessibilityViolations,
  open,
  saveScreenshot,
  show,
  startBrowser,
  testedViews,
} from "./browser.js";
import { startDemo } from "./demo.js";

let demo;
let browser;
before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

// pages returns all pages in a folder that can be reached by links from a page.
async function pages(start, folder) {
  const context = await browser.newContext();
  const found = [start];
  for (const path of found) {
    const { page } = await open(context, demo.origin + path);
    const links = await page.$$eval("a[href]", (all) => all.map((a) => a.href));
    for (const link of links) {
      const to = new URL(link);
      const address = to.pathname + to.search;
      if (to.origin === demo.origin && address.startsWith(folder) && !found.includes(address)) {
        found.push(address);
      }
    }
    await page.close();
  }
  await context.close();
  return found;
}

// check opens one page in a new browser context: it must load nothing else, and be accessible and fit
// in each view.
async function check(path) {
  const context = await browser.newContext(testedViews[0]);
  const { page, response, requests, errors } = await open(context, demo.origin + path);
  assert.equal(response.status(), 200);
  for (const view of testedViews) {
    await show(page, view);
    assert.deepEqual(await accessibilityViolations(page), [], view.name);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= view.viewport.width, `${width} pixels wide in ${view.name}`);
    await saveScreenshot(page, path, view);
  }
  const loaded = requests.filter((url) => !url.startsWith("data:"));
  assert.deepEqual(loaded, [demo.origin + path]);
  assert.deepEqual(errors, []);
  await context.close();
}

for (const { start, folder, least } of [
  { start: "/Help", folder: "/Help", least: 7 },
  { start: "/problems/", folder: "/problems/", least: 10 },
  { start: "/", folder: "/docs/guides/", least: 1 },
  { start: "/docs", folder: "/docs/guides/", least: 6 },
]) {
  test(`pages below ${start}`, { concurrency: 2 }, async (t) => {
    const all = await pages(start, folder);
    assert.ok(all.length >= least, `links lead to ${all}`);
    await Promise.all(all.map((path) => t.test(path, () => check(path))));
  });
}

test("a keyboard skips to the content", async () => {
  const context = await browser.newContext();
  const { page } = await open(context, `${demo.origin}/Help`);
  await page.keyboard.press("Tab");
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("href"));
  assert.equal(await focused(), "#main");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.match(await focused(), /^\/Help\/Api\//);
  await context.close();
});

test("rows shown as blocks on a phone keep the role of rows", async () => {
  const context = await browser.newContext(testedViews[1]);
  const { page } = await open(context, `${demo.origin}/Help/ResourceModel?modelName=ElwAddress`);
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "POBox" }) });
  assert.equal(await row.evaluate((tr) => getComputedStyle(tr).display), "block");
  assert.equal(await row.getByRole("cell").count(), 3);
  await context.close();
});
