/** HTML from values: everything that is not HTML already is escaped. */

export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | readonly Html[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as HTML shows it. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Template tag: html`<p>${name}</p>`. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  const texts = values.map((value) => {
    if (value instanceof Html) return value.text;
    if (Array.isArray(value)) return value.map((one: Html) => one.text).join("");
    return escape(String(value));
  });
  return new Html(parts.reduce((whole, part, index) => whole + (texts[index - 1] ?? "") + part));
}

export const NOTHING = new Html("");
