import axe from "axe-core";
import { chromium } from "playwright-core";

// The four ways in which readers see a page.
export const views = [
  { name: "light-desktop", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark-phone", colorScheme: "dark", viewport: { width: 390, height: 844 } },
  { name: "dark-desktop", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "light-phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
];

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
