import { mkdir } from "node:fs/promises";
import axe from "axe-core";
import { chromium } from "playwright-core";

// SCREENSHOTS names a folder for pictures of all pages.
const pictures = process.env.SCREENSHOTS;

// The four ways in which readers see a page.
const views = [
  { name: "light-desktop", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark-phone", colorScheme: "dark", viewport: { width: 390, height: 844 } },
  { name: "dark-desktop", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "light-phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
];

// Two of them have each colour scheme and each width; pictures are taken of all.
export const shownViews = pictures ? views : views.slice(0, 2);

// startBrowser runs Debian's chromium, which finds nobody but this machine.
export function startBrowser() {
  const args = ["--disable-gpu", "--disable-background-networking"];
  args.push("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
  if (process.getuid() === 0) args.push("--no-sandbox"); // which root cannot have
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

// open opens a page, and keeps what it asks for and what it complains about.
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

// leaving are the requests that went elsewhere.
export function leaving(requests, origin) {
  return requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== origin);
}

// faults are what axe-core finds that keeps people from reading a page.
export async function faults(page) {
  await page.evaluate(axe.source); // as the debugger does, which no policy forbids
  const { violations } = await page.evaluate("axe.run()");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

// picture keeps how a page looks.
export async function picture(page, path, view) {
  if (!pictures) return;
  await mkdir(pictures, { recursive: true });
  const name = `${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "")}-${view.name}.png`;
  await page.screenshot({ path: `${pictures}/${name}`, fullPage: true });
}
