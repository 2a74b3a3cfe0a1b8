import { defineConfig, devices } from "@playwright/test";

/** End-to-end tests run against a portal that is running already: BASE_URL says where. */
export default defineConfig({
  testDir: "tests/e2e",
  forbidOnly: Boolean(process.env["CI"]),
  use: { baseURL: process.env["BASE_URL"] ?? "http://127.0.0.1:3000", trace: "retain-on-failure" },
  projects: [{ name: "chromium", use: devices["Desktop Chrome"] }],
});
