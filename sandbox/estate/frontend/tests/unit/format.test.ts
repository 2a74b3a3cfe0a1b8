import assert from "node:assert/strict";
import { test } from "node:test";
import { day, money, status } from "../../src/format.ts";

test("money has a dollar sign, thousands and two decimals", () => {
  assert.equal(money("1250.00"), "$1,250.00");
  assert.equal(money("0.05"), "$0.05");
});

test("a receipt of the evening keeps the day of the district", () => {
  assert.equal(day("2026-11-16T02:30:00+00:00"), "Nov 15, 2026");
  assert.equal(day("2026-11-16T18:00:00+00:00"), "Nov 16, 2026");
});

test("a status is written as people say it", () => {
  assert.equal(status("partly_paid"), "partly paid");
  assert.equal(status("waived"), "waived");
});
