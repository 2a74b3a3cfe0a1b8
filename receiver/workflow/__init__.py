"""The core: events, effects, the run's lifecycle table and decide. Pure: no I/O, no clock, no SDK."""
