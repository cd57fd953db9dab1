// Opens every page of our own, as a reader would: the help of contract elw and the
// pages about problems.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { faults, leaving, open, startBrowser, views } from "./browser.js";
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

// pages are all that links lead to from the page at a path on, within its folder.
async function pages(context, start) {
  const found = [start];
  for (const path of found) {
    const { page } = await open(context, demo.origin + path);
    const links = await page.$$eval("a[href]", (all) => all.map((a) => a.href));
    for (const link of links) {
      const to = new URL(link);
      const address = to.pathname + to.search;
      if (to.origin === demo.origin && address.startsWith(start) && !found.includes(address)) {
        found.push(address);
      }
    }
    await page.close();
  }
  return found;
}

// check opens one page and holds it to what is promised of all.
async function check(context, path, view) {
  const before = await demo.answered();
  const { page, response, requests, complaints } = await open(context, demo.origin + path);
  assert.equal(response.status(), 200);
  assert.equal((await demo.answered()) - before, 1, "requests that it takes");
  assert.deepEqual(leaving(requests, demo.origin), []);
  assert.deepEqual(await faults(page), []);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= view.viewport.width, `${width} pixels wide`);
  assert.deepEqual(complaints, []);
  await picture(page, path, view);
  await page.close();
}

// picture keeps how a page looks where SCREENSHOTS says.
async function picture(page, path, view) {
  if (!process.env.SCREENSHOTS) return;
  await mkdir(process.env.SCREENSHOTS, { recursive: true });
  const name = `${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "")}-${view.name}.png`;
  await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}`, fullPage: true });
}

for (const [start, least] of [
  ["/Help", 7],
  ["/problems/", 10],
]) {
  describe(`pages below ${start}`, () => {
    for (const view of process.env.SCREENSHOTS ? views : views.slice(0, 2)) {
      test(view.name, async (t) => {
        const context = await browser.newContext(view);
        const all = await pages(context, start);
        assert.ok(all.length >= least, `links lead to ${all}`);
        for (const path of all) {
          await t.test(path, () => check(context, path, view));
        }
        await context.close();
      });
    }
  });
}

test("a keyboard skips to the content, and scrolls what is wide", async () => {
  const context = await browser.newContext(views[1]);
  const { page } = await open(context, `${demo.origin}/Help/Api/PATCH-api-customers-customerId`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  const table = page.getByRole("region", { name: "Properties of CustomerResponse" });
  await table.focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.activeElement.scrollLeft > 0);
  await context.close();
});
