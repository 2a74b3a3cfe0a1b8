import assert from "node:assert/strict";
import { test } from "node:test";
import { html } from "../../src/html.ts";

test("values are escaped", () => {
  assert.equal(
    html`<p title="${'"'}">${"<b>O'Brien & Co</b>"}</p>`.text,
    '<p title="&quot;">&lt;b&gt;O&#39;Brien &amp; Co&lt;/b&gt;</p>',
  );
});

test("HTML in HTML stays HTML", () => {
  const items = ["a", "b"].map((name) => html`<li>${name}</li>`);
  assert.equal(html`<ul>${items}</ul>`.text, "<ul><li>a</li><li>b</li></ul>");
});
