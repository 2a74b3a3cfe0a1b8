/** Pages from values. Asks nobody. */

import type { Fee, Guardian, Invoice, Receipt, Statement } from "./api.ts";
import { day, money, status } from "./format.ts";
import { type Html, html, Html as Raw, NOTHING } from "./html.ts";
import { STYLE } from "./style.ts";

function page(title: string, content: Html): string {
  const whole = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title} - PayK12</title>
        <style>
          ${new Raw(STYLE)}
        </style>
      </head>
      <body>
        <header><a href="/">PayK12</a><a href="/fees">Fees</a></header>
        <main>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`;
  return whole.text;
}

export function message(title: string, sentence: string): string {
  return page(title, html`<p class="notice" role="alert">${sentence}</p>`);
}

export function search(text: string, found: readonly Guardian[]): string {
  const rows = found.map(
    (guardian) =>
      html`<tr>
        <td><a href="/guardians/${guardian.id}">${guardian.name}</a></td>
        <td>${guardian.email}</td>
        <td>${guardian.students.map((student) => student.name).join(", ")}</td>
      </tr>`,
  );
  return page(
    "Guardians",
    html`<form action="/">
        <label for="q">Name or email address</label><input id="q" name="q" value="${text}" />
        <button>Search</button>
      </form>
      <table>
        <tr>
          <th>Guardian</th>
          <th>Email</th>
          <th>Students</th>
        </tr>
        ${rows}
      </table>
      ${found.length === 0 ? html`<p>Nobody matches.</p>` : NOTHING}`,
  );
}

export function statement(shown: Statement): string {
  const invoices = shown.invoices.map(
    (invoice) =>
      html`<tr>
        <td><a href="/invoices/${invoice.number}">${invoice.number}</a></td>
        <td>${day(invoice.next_due)}</td>
        <td class="${invoice.status}">${status(invoice.status)}</td>
        <td class="amount">${money(invoice.balance)}</td>
      </tr>`,
  );
  const receipts = shown.receipts.map(
    (receipt) =>
      html`<li>
        <a href="/receipts/${receipt.number}">${receipt.number}</a> ${day(receipt.received)},
        ${money(receipt.amount)}
      </li>`,
  );
  return page(
    shown.guardian.name,
    html`<table>
        <tr>
          <th>Invoice</th>
          <th>Due</th>
          <th>Status</th>
          <th class="amount">Open</th>
        </tr>
        ${invoices}
      </table>
      <p>Open in all: <strong>${money(shown.open)}</strong></p>
      <h2>Receipts</h2>
      <ul>
        ${receipts}
      </ul>`,
  );
}

export function invoice(shown: Invoice, key: string, problem = ""): string {
  const lines = shown.lines.map(
    (line) =>
      html`<tr>
        <td>${line.description}</td>
        <td class="amount">${line.quantity}</td>
        <td class="amount">${money(line.amount)}</td>
      </tr>`,
  );
  return page(
    `Invoice ${shown.number}`,
    html`<p>
        Due on <strong>${day(shown.due)}</strong>, ${status(shown.status)}, ${money(shown.balance)} of
        ${money(shown.total)} open.
      </p>
      <table>
        <tr>
          <th>For</th>
          <th class="amount">Quantity</th>
          <th class="amount">Price</th>
        </tr>
        ${lines}
      </table>
      ${plan(shown)} ${shown.status === "paid" ? NOTHING : payment(shown, key, problem)}`,
  );
}

function plan(shown: Invoice): Html {
  if (shown.plan.length === 0) return NOTHING;
  const parts = shown.plan.map((part) => html`<li>${day(part.due)}: ${money(part.amount)}</li>`);
  return html`<h2>Instalments</h2>
    <ol>
      ${parts}
    </ol>`;
}

function payment(shown: Invoice, key: string, problem: string): Html {
  return html`<h2>Pay</h2>
    ${problem === "" ? NOTHING : html`<p class="notice" role="alert">${problem}</p>`}
    <form method="post" action="/invoices/${shown.number}/pay">
      <input type="hidden" name="key" value="${key}" />
      <label for="amount">Amount</label><input id="amount" name="amount" value="${shown.balance}" />
      <label for="method">Method</label
      ><select id="method" name="method">
        <option value="card">Card</option>
        <option value="check">Check</option>
        <option value="cash">Cash</option>
      </select>
      <p><button>Pay</button></p>
    </form>`;
}

export function receipt(shown: Receipt): string {
  return page(
    `Receipt ${shown.number}`,
    html`<p>
      Received on <strong>${day(shown.received)}</strong>: ${money(shown.amount)} by ${shown.method} for
      invoice <a href="/invoices/${shown.invoice}">${shown.invoice}</a>. Thank you!
    </p>`,
  );
}

export function fees(schoolYear: string, listed: readonly Fee[]): string {
  const rows = listed.map(
    (fee) =>
      html`<tr>
        <td>${fee.code}</td>
        <td>${fee.description}</td>
        <td>${fee.school}</td>
        <td>${day(fee.valid_from)}</td>
        <td class="amount">${money(fee.amount)}</td>
      </tr>`,
  );
  return page(
    `Fees ${schoolYear}`,
    html`<table>
      <tr>
        <th>Code</th>
        <th>Fee</th>
        <th>School</th>
        <th>Valid from</th>
        <th class="amount">Amount</th>
      </tr>
      ${rows}
    </table>`,
  );
}
