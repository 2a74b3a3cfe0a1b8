// Notes how each test ended, in the words that the pytest conftest uses: the same rules judge both.
// Runs in the runner's process, not in the test's, but under the same user.
const fs = require("node:fs");
const path = require("node:path");
const told = JSON.parse(process.env.BUG_FIX_REPRODUCTION);

const plain = (text) => (text ?? "").replace(/\u001b\[[0-9;]*m/g, "");
const note = (facts) => fs.appendFileSync(told.notes, JSON.stringify(facts) + "\n");
const failing = (steps) => steps.filter((step) => step.error);
const asserted = (steps, message) =>
  failing(steps).some(
    (step) => (step.category === "expect" && step.error.message === message) || asserted(step.steps, message),
  );
const FILES = { screenshot: /^test-(finished|failed)-\d+\.png$/, trace: /^trace\.zip$/, video: /^[^/]+\.webm$/ };
const HOOKS = { "Before Hooks": "setup", "After Hooks": "teardown", "Worker Cleanup": "teardown" };

function kindOf(result, error) {
  const message = plain(error.message);
  if (result.status === "timedOut" || result.status === "interrupted") return ["TimeoutError", "Error"];
  const named = /^(?:\w+\.)?(\w*Error)\b/.exec(message)?.[1] ?? "Error";
  return asserted(result.steps, error.message) && named === "Error" ? ["AssertionError", "Error"] : [...new Set([named, "Error"])];
}

class Notes {
  printsToStdio() {
    return false;
  }

  onError(error) {
    note({ kind: "broken", text: plain(error.message).slice(0, 1000) });
  }

  onTestEnd(test, result) {
    for (const { name, path: file } of result.attachments) {
      const place = file && path.relative(path.dirname(told.notes), file);
      // a test may attach what it likes by any name; Playwright's own files have these
      if (FILES[name]?.test(path.basename(file ?? ""))) note({ kind: "file", what: name, path: place });
    }
    const name = test.titlePath().slice(3).join(" › ");
    const [error] = result.errors;
    const broken = failing(result.steps).find((step) => step.title in HOOKS);
    const failedIn = error === undefined ? null : (HOOKS[broken?.title] ?? "call");
    for (const when of ["setup", "call", "teardown"]) {
      const failed = when === failedIn;
      const skipped = when === "call" && result.status === "skipped";
      note({
        kind: "step",
        test: name,
        when,
        outcome: failed ? "failed" : skipped ? "skipped" : "passed",
        error: failed ? kindOf(result, error) : null,
        message: failed ? plain(error.message).slice(0, 2000) : "",
        in_test: failed && error.location?.file === test.location.file,
        line: failed ? (error.location?.line ?? 0) : 0,
        column: failed ? (error.location?.column ?? 0) : 0,
      });
      if (failed && when === "setup") return;
    }
  }
}

module.exports = Notes;
