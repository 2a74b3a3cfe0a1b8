"""Run a reproduction against a running application: frameworks, browser, evidence."""
