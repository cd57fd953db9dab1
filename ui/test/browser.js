import { mkdir } from "node:fs/promises";
import axe from "axe-core";
import { chromium } from "playwright-core";

// SCREENSHOTS names a folder for screenshots of all pages.
const screenshotFolder = process.env.SCREENSHOTS;

// The tested colour schemes and widths of the browser window.
export const testedViews = [
  { name: "light-desktop", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark-phone", colorScheme: "dark", viewport: { width: 390, height: 844 } },
  { name: "dark-desktop", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "light-phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
];

// startBrowser runs Debian's chromium. It can resolve only this machine.
export function startBrowser() {
  const args = ["--disable-gpu", "--disable-background-networking"];
  args.push("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
  if (process.getuid() === 0) args.push("--no-sandbox"); // the sandbox does not work as root
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

// open opens a page and records its requests and its console errors.
export async function open(context, url) {
  const page = await context.newPage();
  const requests = [];
  const errors = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  const response = await page.goto(url, { waitUntil: "load" });
  return { page, response, requests, errors };
}

// show changes the colour scheme and the width of a page.
export async function show(page, view) {
  await page.emulateMedia({ colorScheme: view.colorScheme });
  await page.setViewportSize(view.viewport);
}

// externalRequests returns the requests to other hosts.
export function externalRequests(requests, origin) {
  return requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== origin);
}

// accessibilityViolations returns the serious accessibility violations that axe-core finds.
export async function accessibilityViolations(page) {
  // The Content-Security-Policy does not apply to the debugger.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run()");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

// saveScreenshot saves a screenshot, if SCREENSHOTS is set.
export async function saveScreenshot(page, path, view) {
  if (!screenshotFolder) return;
  await mkdir(screenshotFolder, { recursive: true });
  const name = `${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "")}-${view.name}.png`;
  await page.screenshot({ path: `${screenshotFolder}/${name}`, fullPage: true });
}
