"""Which runs have a pipeline, and which wait for one."""
