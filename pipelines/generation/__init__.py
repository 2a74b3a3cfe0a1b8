"""Plan → pipeline as a value → YAML, and the names of its jobs. Pure."""
