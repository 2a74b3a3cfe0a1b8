// How Playwright runs a reproduction, and the agent's own tries of it. No configuration of a repository takes part.
const told = JSON.parse(process.env.BUG_FIX_REPRODUCTION);

module.exports = {
  testDir: told.folder,
  testMatch: told.test ?? undefined,
  // or Playwright looks for one in every folder above the test, the shared temporary folder among them
  tsconfig: told.tsconfig,
  outputDir: told.output,
  timeout: 60_000,
  globalTimeout: 170_000,
  workers: 1,
  retries: 0,
  reporter: [["list"], ...told.reporters],
  use: {
    baseURL: told.base_url,
    actionTimeout: 30_000,
    navigationTimeout: 30_000,
    trace: "on",
    screenshot: "on",
    video: told.video,
    launchOptions: {
      executablePath: told.executable ?? undefined,
      args: told.arguments,
      chromiumSandbox: told.sandbox,
    },
  },
  projects: [{ name: "chromium" }],
};
