"""Run untrusted commands: users, processes, environment, folders."""
