/** Money, days and moments, as people read them. */

/** The district lies in one time zone, whatever the server's clock says. */
export const ZONE = "America/Denver";

const DAY = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeZone: ZONE });
const DOLLARS = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

/** `1250.00` → `$1,250.00`. */
export function money(amount: string): string {
  return DOLLARS.format(Number(amount));
}

/** The day of a date or moment: `Dec 1, 2026`. */
export function day(text: string): string {
  return DAY.format(new Date(text));
}

const STATUS: Record<string, string> = {
  open: "open",
  partly_paid: "partly paid",
  paid: "paid",
  overdue: "overdue",
};

/** What people call a status. */
export function status(text: string): string {
  return STATUS[text] ?? text;
}
