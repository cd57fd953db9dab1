// The reference of one contract: Scalar with the OpenAPI document of this server. All
// requests go to this server.
import { createApiReference } from "@scalar/api-reference";
import "@scalar/api-reference/style.css";
import "./reference.css";

// The settings in <script id="settings">, which reference.go writes.
type Settings = {
  document: string; // the path of the OpenAPI document
  authentication: Record<string, unknown>; // credentials of a demo
};

async function show() {
  const settings: Settings = JSON.parse(element("settings").textContent ?? "");
  const response = await fetch(settings.document);
  if (!response.ok) {
    throw new Error(`${settings.document} returned status ${response.status}`);
  }
  createApiReference("#reference", {
    content: withRequiredParameters(await response.json()),
    servers: [{ url: location.origin }], // where the Content-Security-Policy allows requests
    authentication: settings.authentication,
    withDefaultFonts: false,
    telemetry: false,
    showDeveloperTools: "never",
    hideClientButton: true,
    agent: { disabled: true },
    mcp: { disabled: true },
    orderSchemaPropertiesBy: "preserve", // errors come in this order
    orderRequiredPropertiesFirst: false,
    defaultOpenAllTags: true,
    hiddenClients: true, // use the tested samples of the document
    generateOperationSlug: ({ operationId, method, path }) => operationId ?? `${method}${path}`,
    documentDownloadType: "none", // the bar has links to both
  });
}

type Parameter = {
  required?: boolean;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
};
type Document = {
  components?: { parameters?: Record<string, Parameter> };
  paths: Record<string, Record<string, unknown>>;
};

// withRequiredParameters changes the document so that Scalar fills in only required parameters, and
// the preference for a response with the record. Scalar fills in every parameter with "example", and
// none with "examples".
function withRequiredParameters(document: Document): Document {
  for (const parameter of parametersOf(document)) {
    const [first] = Object.values(parameter.examples ?? {});
    const value = parameter.example ?? first?.value;
    if (value === undefined) continue;
    delete parameter.example;
    delete parameter.examples;
    if (parameter.required || value === "return=representation") {
      parameter.example = value;
    } else {
      parameter.examples = { example: { value } };
    }
  }
  return document;
}

function* parametersOf(document: Document): Generator<Parameter> {
  yield* Object.values(document.components?.parameters ?? {});
  for (const item of Object.values(document.paths)) {
    for (const part of [item, ...Object.values(item)]) {
      const { parameters } = part as { parameters?: Parameter[] };
      if (Array.isArray(parameters)) yield* parameters;
    }
  }
}

// accessibility adds what Scalar's elements lack: the names of copy buttons, the names and states of
// inputs, and the keyboard's access to elements that scroll.
const accessibility: { selector: string; attributes: Record<string, string> }[] = [
  { selector: "button.scalar-code-copy:not([aria-label])", attributes: { "aria-label": "Copy" } },
  {
    selector: "[role=combobox][contenteditable]:not([aria-expanded])",
    attributes: { "aria-expanded": "false" },
  },
  {
    selector: "ul.endpoints:not([tabindex]), .scalar-card-content.overflow-auto:not([tabindex])",
    attributes: { tabindex: "0" },
  },
];

function addAccessibility() {
  for (const { selector, attributes } of accessibility) {
    for (const found of document.querySelectorAll(selector)) {
      for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
    }
  }
  for (const input of document.querySelectorAll("[contenteditable]:not([aria-label])")) {
    input.setAttribute("aria-label", input.getAttribute("data-placeholder") || "Value");
  }
}

new MutationObserver(addAccessibility).observe(document, { childList: true, subtree: true });

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
