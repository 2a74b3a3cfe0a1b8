"""Run one job as a process: checkout, script, log, artifacts, reports."""
