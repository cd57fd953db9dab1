// The reference of one contract: Scalar, on the document that the server makes of
// the contract's spec.yaml. Nothing comes from anywhere but this server.
import { createApiReference } from "@scalar/api-reference";
import "@scalar/api-reference/style.css";
import "./reference.css";

// What the page says in <script id="settings">: reference.go has the other end.
type Settings = {
  document: string; // the path of the OpenAPI document
  base: string; // the server that the document's samples name
  authentication: Record<string, unknown>; // what a demo fills in
};

async function show() {
  const settings: Settings = JSON.parse(element("settings").textContent ?? "");
  const response = await fetch(settings.document);
  if (!response.ok) {
    throw new Error(`${settings.document} was answered ${response.status}`);
  }
  const document = await response.text();
  createApiReference("#reference", {
    content: document.replaceAll(settings.base, location.origin),
    authentication: settings.authentication,
    withDefaultFonts: false,
    telemetry: false,
    showDeveloperTools: "never",
    hideClientButton: true,
    agent: { disabled: true },
    mcp: { disabled: true },
  });
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`the page has no element ${id}`);
  }
  return found;
}

show().catch((error: unknown) => {
  element("reference").textContent = `The reference cannot be shown: ${error}`;
});
