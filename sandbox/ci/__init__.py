"""GitLab CI emulated: compiles a configuration, runs its jobs as processes, speaks REST and hooks."""
