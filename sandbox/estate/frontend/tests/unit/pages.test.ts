import assert from "node:assert/strict";
import { test } from "node:test";
import type { Invoice } from "../../src/api.ts";
import * as pages from "../../src/pages.ts";

const INVOICE: Invoice = {
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

test("an open invoice can be paid, with the open amount filled in", () => {
  const page = pages.invoice(INVOICE, "key-1");
  assert.match(page, /action="\/invoices\/CV-2026-0004\/pay"/);
  assert.match(page, /name="amount" value="19.50"/);
  assert.match(page, /name="key" value="key-1"/);
});

test("a paid invoice can't be paid again", () => {
  assert.doesNotMatch(pages.invoice({ ...INVOICE, status: "paid", balance: "0.00" }, "key-1"), /<form/);
});

test("markup in what an office typed is shown and not run", () => {
  const lines = [{ description: "<script>alert(1)</script>", amount: "1.00", quantity: 1 }];
  const page = pages.invoice({ ...INVOICE, lines }, "key-1");
  assert.doesNotMatch(page, /<script>/);
});

test("nobody found is said", () => {
  assert.match(pages.search("x", []), /Nobody matches\./);
});
