// Opens the reference of each contract, and sends a PATCH from it as a reader does.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  accessibilityViolations,
  externalRequests,
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

// scrollThrough renders all operations: Scalar renders those that come near the window.
async function scrollThrough(page) {
  let height = 0;
  for (;;) {
    const now = await page.evaluate(() => document.documentElement.scrollHeight);
    if (now === height) break;
    height = now;
    for (let y = 0; y < height; y += 2000) {
      await page.evaluate((to) => window.scrollTo(0, to), y);
      await page.waitForTimeout(50);
    }
  }
  await page.evaluate(() => window.scrollTo(0, 0));
}

// The reference of native is long, and looks like the others: two views are enough.
for (const { contract, views } of [
  { contract: "elw", views: testedViews },
  { contract: "lochting", views: testedViews },
  { contract: "native", views: testedViews.slice(0, 2) },
]) {
  test(`the reference of ${contract}`, async () => {
    const context = await browser.newContext(testedViews[0]);
    const path = `/docs/${contract}`;
    const { page, requests, errors } = await open(context, demo.origin + path);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await page.waitForLoadState("networkidle");
    for (const view of views) {
      await show(page, view);
      await scrollThrough(page);
      assert.deepEqual(await accessibilityViolations(page), [], view.name);
      await saveScreenshot(page, path, view);
    }
    assert.deepEqual(externalRequests(requests, demo.origin), []);
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test("the reference shows properties in the order of the document", async () => {
  const context = await browser.newContext(testedViews[0]);
  const { page } = await open(context, `${demo.origin}/docs/lochting#updateCustomer`);
  const document = await (await fetch(`${demo.origin}/docs/lochting/openapi.json`)).json();
  const want = Object.keys(document.components.schemas.CustomerUpdate.properties);
  await page.locator(".property-name", { hasText: "zipCode" }).first().waitFor();
  const shown = await page.locator(".property-name").allInnerTexts();
  const start = shown.indexOf(want[0]);
  assert.deepEqual(shown.slice(start, start + want.length), want);
  await context.close();
});

for (const { contract, property } of [
  { contract: "elw", property: "PhoneNumber" },
  { contract: "lochting", property: "emailAddress" },
]) {
  test(`a request sent from the reference of ${contract} changes the record`, async () => {
    const context = await browser.newContext(testedViews[0]);
    const { page, requests, errors } = await open(context, `${demo.origin}/docs`);
    await page.locator(`a[href^="/docs/${contract}#"][href$="updateCustomer"]`).click();
    await page.getByRole("button", { name: /^Test Request\s*\(patch/ }).click();
    const send = page.getByRole("button", { name: /^Send patch request/ });
    const responded = page.waitForResponse((response) => response.request().method() === "PATCH");
    await send.click();
    const response = await responded;
    assert.equal(response.status(), 200);
    await page.getByRole("dialog").getByText("200").first().waitFor();

    assert.equal((await response.json())[property], response.request().postDataJSON()[property]);

    const sent = response.request();
    const { authorization } = await sent.allHeaders();
    const record = await (await fetch(sent.url(), { headers: { authorization } })).json();
    assert.equal(record[property], sent.postDataJSON()[property]);
    assert.match(
      await response.headerValue("Field-Outcome"),
      new RegExp(`applied=[^,]*"${property}"`),
    );
    assert.deepEqual(externalRequests(requests, demo.origin), []);
    assert.deepEqual(errors, []);
    await saveScreenshot(page, `/docs/${contract}/sent`, testedViews[0]);
    await context.close();
  });
}
