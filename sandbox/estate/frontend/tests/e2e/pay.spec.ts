import { expect, test } from "@playwright/test";

test("a guardian finds an invoice, pays it and gets a receipt", async ({ page }) => {
  await page.goto("/");
  await page.getByLabel("Name or email address").fill("delgado");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name: "Rosa Delgado" }).click();
  await page.getByRole("link", { name: /^CV-/ }).click();
  await page.getByLabel("Amount").fill("25.00");
  await page.getByRole("button", { name: "Pay" }).click();
  await expect(page.getByRole("heading", { name: /^Receipt R-/ })).toBeVisible();
  await expect(page.getByText("$25.00 by card")).toBeVisible();
});
