// Stands for `@playwright/test` beside a reproduction: the same, and notes what browser and API client see meanwhile.
const fs = require("node:fs");
const told = JSON.parse(process.env.BUG_FIX_REPRODUCTION);
const real = require(told.playwright);

const note = (facts) => fs.appendFileSync(told.notes, JSON.stringify(facts) + "\n");
const seen = new WeakSet();
const text = (value, length) =>
  (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value)).slice(0, length);

function observeRequests(client) {
  if (seen.has(client)) return client;
  seen.add(client);
  const fetch = client.fetch.bind(client);
  client.fetch = async (target, options) => {
    const response = await fetch(target, options);
    note({
      kind: "exchange",
      method: options?.method ?? "GET",
      url: response.url().slice(0, 500),
      status: response.status(),
      sent: text(options?.data ?? options?.form, 2000),
      received: (await response.text().catch(() => "")).slice(0, 4000),
    });
    return response;
  };
  return client;
}

function observe(context) {
  if (seen.has(context)) return context;
  seen.add(context);
  observeRequests(context.request);
  context.on("console", (message) =>
    note({ kind: "console", type: message.type(), text: message.text().slice(0, 1000) }),
  );
  context.on("weberror", (error) => note({ kind: "page_error", text: String(error.error()).slice(0, 1000) }));
  context.on("requestfailed", (request) =>
    note({
      kind: "request_failed",
      url: request.url().slice(0, 500),
      error: (request.failure()?.errorText ?? "").slice(0, 200),
    }),
  );
  context.on("response", (response) => {
    const facts = { url: response.url().slice(0, 500), status: response.status() };
    if (response.request().isNavigationRequest()) note({ kind: "navigation", ...facts });
    if (response.status() >= 400) note({ kind: "response", ...facts });
  });
  context.on("page", (page) => page.on("crash", () => note({ kind: "crash", url: page.url().slice(0, 500) })));
  return context;
}

const test = real.test.extend({
  playwright: [
    async ({ playwright }, use) => {
      const newContext = playwright.request.newContext.bind(playwright.request);
      playwright.request.newContext = async (options) => observeRequests(await newContext(options));
      await use(playwright);
    },
    { scope: "worker", box: true },
  ],
  browser: [
    async ({ browser }, use) => {
      const newContext = browser.newContext.bind(browser);
      browser.newContext = async (options) => observe(await newContext(options));
      await use(browser);
    },
    { scope: "worker", box: true },
  ],
  context: [
    async ({ context, deviceScaleFactor }, use) => {
      await use(observe(context));
      for (const page of context.pages()) {
        const size = page.viewportSize();
        if (size) note({ kind: "viewport", ...size, scale: deviceScaleFactor ?? 1 });
      }
    },
    { box: true },
  ],
  request: [async ({ request }, use) => use(observeRequests(request)), { box: true }],
});

module.exports = { ...real, test, default: test };
