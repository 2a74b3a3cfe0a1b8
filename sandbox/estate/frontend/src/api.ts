/** Ask payk12/api. Shapes are those of its docs/api.md. */

export interface Guardian {
  id: number;
  name: string;
  email: string;
  students: { name: string; school: string }[];
}

export interface Receipt {
  number: string;
  invoice: string;
  amount: string;
  method: string;
  received: string;
}

export interface Invoice {
  number: string;
  guardian: number;
  due: string;
  next_due: string;
  status: string;
  total: string;
  balance: string;
  lines: { description: string; amount: string; quantity: number }[];
  payments: Receipt[];
  plan: { due: string; amount: string }[];
}

export interface Statement {
  guardian: Guardian;
  invoices: Invoice[];
  receipts: Receipt[];
  open: string;
}

export interface Fee {
  code: string;
  description: string;
  amount: string;
  valid_from: string;
  school: string;
}

/** The API answered that it won't; the message is its sentence. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

interface Problem {
  error?: string;
  errors?: Record<string, string>;
}

export class Api {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async guardians(text: string): Promise<Guardian[]> {
    const found = await this.#get<{ guardians: Guardian[] }>(`/v1/guardians?q=${encodeURIComponent(text)}`);
    return found.guardians;
  }

  statement(guardian: string): Promise<Statement> {
    return this.#get(`/v1/guardians/${guardian}/statement`);
  }

  invoice(number: string): Promise<Invoice> {
    return this.#get(`/v1/invoices/${encodeURIComponent(number)}`);
  }

  receipt(number: string): Promise<Receipt> {
    return this.#get(`/v1/receipts/${encodeURIComponent(number)}`);
  }

  async fees(schoolYear: string): Promise<Fee[]> {
    const found = await this.#get<{ fees: Fee[] }>(`/v1/fees?school_year=${encodeURIComponent(schoolYear)}`);
    return found.fees;
  }

  /** Pay once for each key. */
  pay(number: string, payment: { amount: string; method: string }, key: string): Promise<Receipt> {
    return this.#ask(`/v1/invoices/${encodeURIComponent(number)}/payments`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key },
      body: JSON.stringify(payment),
    });
  }

  #get<T>(path: string): Promise<T> {
    return this.#ask(path, {});
  }

  async #ask<T>(path: string, request: RequestInit): Promise<T> {
    let answer: Response;
    try {
      answer = await fetch(this.#url + path, { ...request, signal: AbortSignal.timeout(10_000) });
    } catch {
      throw new Refusal(502, "The payment service does not answer. Please try again in a few minutes.");
    }
    const value = (await answer.json()) as T & Problem;
    if (!answer.ok) {
      const sentence = value.error ?? Object.values(value.errors ?? {}).join(" ");
      throw new Refusal(answer.status, sentence);
    }
    return value;
  }
}
