// Opens the reference of each contract and sends a PATCH from it, as a reader does: from
// the list of operations to the changed record.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { leaving, open, picture, shownViews, startBrowser } from "./browser.js";
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

for (const contract of ["elw", "lochting", "native"]) {
  for (const view of shownViews) {
    test(`the reference of ${contract}, ${view.name}`, async () => {
      const context = await browser.newContext(view);
      const path = `/docs/${contract}`;
      const { page, requests, complaints } = await open(context, demo.origin + path);
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      await page.waitForLoadState("networkidle");
      await picture(page, path, view);
      assert.deepEqual(leaving(requests, demo.origin), []);
      assert.deepEqual(complaints, []);
      await context.close();
    });
  }
}

for (const { contract, property } of [
  { contract: "elw", property: "PhoneNumber" },
  { contract: "lochting", property: "phoneNumber" },
]) {
  test(`a change that is tried through ${contract} changes the record`, async () => {
    const context = await browser.newContext(shownViews[0]);
    const { page, requests, complaints } = await open(context, `${demo.origin}/docs`);
    await page.locator(`a[href^="/docs/${contract}#"][href$="updateCustomer"]`).click();
    await page.getByRole("button", { name: /^Test Request\s*\(patch/ }).click();
    const send = page.getByRole("button", { name: /^Send patch request/ });
    const answered = page.waitForResponse((response) => response.request().method() === "PATCH");
    await send.click();
    const response = await answered;
    assert.equal(response.status(), 200);
    await page.getByRole("dialog").getByText("200").first().waitFor();

    const sent = response.request();
    const { authorization } = await sent.allHeaders();
    const record = await (await fetch(sent.url(), { headers: { authorization } })).json();
    assert.equal(record[property], sent.postDataJSON()[property]);
    assert.match(
      await response.headerValue("Field-Outcome"),
      new RegExp(`applied=[^,]*"${property}"`),
    );
    assert.deepEqual(leaving(requests, demo.origin), []);
    assert.deepEqual(complaints, []);
    await picture(page, `/docs/${contract}/tried`, shownViews[0]);
    await context.close();
  });
}
