import { mkdir } from "node:fs/promises";
import axe from "axe-core";
import { chromium } from "playwright-core";

// SCREENSHOTS names a folder for pictures of all pages.
const pictures = process.env.SCREENSHOTS;

// Colour scheme and width of the browser window.
const views = [
  { name: "light-desktop", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark-phone", colorScheme: "dark", viewport: { width: 390, height: 844 } },
  { name: "dark-desktop", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "light-phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
];

// The tests use two views; pictures are taken in all of them.
export const shownViews = pictures ? views : views.slice(0, 2);

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
  const complaints = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const response = await page.goto(url, { waitUntil: "load" });
  return { page, response, requests, complaints };
}

// leaving returns the requests to other hosts.
export function leaving(requests, origin) {
  return requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== origin);
}

// faults returns the serious accessibility violations that axe-core finds.
export async function faults(page) {
  await page.evaluate(axe.source); // by the debugger, which the Content-Security-Policy does not restrict
  const { violations } = await page.evaluate("axe.run()");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

// picture saves a screenshot.
export async function picture(page, path, view) {
  if (!pictures) return;
  await mkdir(pictures, { recursive: true });
  const name = `${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "")}-${view.name}.png`;
  await page.screenshot({ path: `${pictures}/${name}`, fullPage: true });
}
