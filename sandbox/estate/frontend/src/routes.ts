/** Which page answers which address. */

import { randomUUID } from "node:crypto";
import { type Api, Refusal } from "./api.ts";
import * as pages from "./pages.ts";

export interface Answer {
  status: number;
  body: string;
  location?: string;
}

export interface Request {
  method: string;
  url: URL;
  form: URLSearchParams;
}

type Handler = (request: Request, part: string) => Promise<Answer>;

function shown(body: string, status = 200): Answer {
  return { status, body };
}

export class Routes {
  readonly #api: Api;
  readonly #routes: [string, RegExp, Handler][];

  constructor(api: Api) {
    this.#api = api;
    this.#routes = [
      ["GET", /^\/health$/, () => Promise.resolve(shown("ok"))],
      ["GET", /^\/$/, (request) => this.#search(request)],
      ["GET", /^\/guardians\/(\d{1,9})$/, (_, id) => this.#statement(id)],
      ["GET", /^\/invoices\/([\w-]{1,20})$/, (_, number) => this.#invoice(number)],
      ["POST", /^\/invoices\/([\w-]{1,20})\/pay$/, (request, number) => this.#pay(request, number)],
      ["GET", /^\/receipts\/([\w-]{1,20})$/, (_, number) => this.#receipt(number)],
      ["GET", /^\/fees$/, (request) => this.#fees(request)],
    ];
  }

  /** Answer a request; a refusal of the API becomes a page with its sentence. */
  async answer(request: Request): Promise<Answer> {
    try {
      for (const [method, pattern, handler] of this.#routes) {
        const match = pattern.exec(request.url.pathname);
        if (match !== null && method === request.method) return await handler(request, match[1] ?? "");
      }
    } catch (error) {
      if (error instanceof Refusal) return shown(pages.message("Sorry", error.message), error.status);
      throw error;
    }
    return shown(pages.message("Not found", "There is no such page."), 404);
  }

  async #search(request: Request): Promise<Answer> {
    const text = request.url.searchParams.get("q") ?? "";
    return shown(pages.search(text, await this.#api.guardians(text)));
  }

  async #statement(id: string): Promise<Answer> {
    return shown(pages.statement(await this.#api.statement(id)));
  }

  async #invoice(number: string): Promise<Answer> {
    return shown(pages.invoice(await this.#api.invoice(number), randomUUID()));
  }

  async #pay(request: Request, number: string): Promise<Answer> {
    const payment = { amount: request.form.get("amount") ?? "", method: request.form.get("method") ?? "" };
    const key = request.form.get("key") ?? "";
    try {
      const receipt = await this.#api.pay(number, payment, key);
      return { status: 303, body: "", location: `/receipts/${receipt.number}` };
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 422) throw error;
      return shown(pages.invoice(await this.#api.invoice(number), key, error.message), 422);
    }
  }

  async #receipt(number: string): Promise<Answer> {
    return shown(pages.receipt(await this.#api.receipt(number)));
  }

  async #fees(request: Request): Promise<Answer> {
    const schoolYear = request.url.searchParams.get("school_year") ?? "2026-27";
    return shown(pages.fees(schoolYear, await this.#api.fees(schoolYear)));
  }
}
