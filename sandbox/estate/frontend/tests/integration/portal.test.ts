import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { portal } from "../../src/server.ts";

const RECEIPT = {
  number: "R-000007",
  invoice: "CV-2026-0004",
  amount: "19.50",
  method: "card",
  received: "2026-11-16T18:00:00+00:00",
};
const INVOICE = {
  number: "CV-2026-0004",
  guardian: 3,
  due: "2026-12-15",
  next_due: "2026-12-15",
  status: "open",
  total: "19.50",
  balance: "19.50",
  lines: [{ description: "Yearbook", amount: "19.50", quantity: 1 }],
  payments: [],
  plan: [],
};

/** A stand-in for payk12/api: what it answers, by method and path. */
const ANSWERS: Record<string, [number, unknown]> = {
  "GET /v1/guardians?q=smith%20%26%20co": [
    200,
    { guardians: [{ id: 3, name: "Smith & Co", email: "", students: [] }] },
  ],
  "GET /v1/invoices/CV-2026-0004": [200, INVOICE],
  "POST /v1/invoices/CV-2026-0004/payments": [201, RECEIPT],
  "POST /v1/invoices/CV-2026-0005/payments": [
    422,
    { errors: { amount: "Only 5.00 is open on CV-2026-0005." } },
  ],
  "GET /v1/invoices/CV-2026-0005": [200, { ...INVOICE, number: "CV-2026-0005", balance: "5.00" }],
  "GET /v1/receipts/R-000007": [200, RECEIPT],
  "GET /v1/fees?school_year=2026-27": [503, { error: "Fees are not available." }],
};

const keys: (string | undefined)[] = [];

const api = createServer((request, response) => {
  keys.push(request.headers["idempotency-key"] as string | undefined);
  const [status, value] = ANSWERS[`${request.method ?? ""} ${request.url ?? ""}`] ?? [
    404,
    { error: "There is no such thing." },
  ];
  response.statusCode = status;
  response.end(JSON.stringify(value));
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let site: Server;
let url = "";

before(async () => {
  site = portal(await listen(api));
  url = await listen(site);
});

after(() => {
  for (const server of [site, api]) {
    server.closeAllConnections();
    server.close();
  }
});

test("a search reaches the API as it was typed", async () => {
  const page = await (await fetch(`${url}/?q=smith+%26+co`)).text();
  assert.match(page, /Smith &amp; Co/);
});

test("a payment leads to its receipt and carries the key of its form", async () => {
  const form = new URLSearchParams({ amount: "19.50", method: "card", key: "key-1" });
  const answer = await fetch(`${url}/invoices/CV-2026-0004/pay`, { method: "POST", body: form });
  assert.equal(answer.url, `${url}/receipts/R-000007`);
  assert.match(await answer.text(), /Received on <strong>Nov 16, 2026<\/strong>: \$19\.50 by card/);
  assert.ok(keys.includes("key-1"));
});

test("a payment that the API refuses comes back with its sentence", async () => {
  const form = new URLSearchParams({ amount: "50", method: "card", key: "key-2" });
  const answer = await fetch(`${url}/invoices/CV-2026-0005/pay`, { method: "POST", body: form });
  assert.equal(answer.status, 422);
  assert.match(await answer.text(), /Only 5\.00 is open/);
});

test("what the API does not know or can't do has its status and sentence", async () => {
  assert.equal((await fetch(`${url}/invoices/CV-2026-0009`)).status, 404);
  const fees = await fetch(`${url}/fees`);
  assert.equal(fees.status, 503);
  assert.match(await fees.text(), /Fees are not available\./);
  assert.equal((await fetch(`${url}/nowhere`)).status, 404);
});

test("an API that does not answer is said", async () => {
  const lonely = portal("http://127.0.0.1:1");
  const answer = await fetch(await listen(lonely));
  assert.equal(answer.status, 502);
  lonely.closeAllConnections();
  lonely.close();
});
