"""The emulators put together: GitLab as one application, and all three as a process that serves a scenario."""
