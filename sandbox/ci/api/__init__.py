"""The REST routes of the CI engine: one module per noun, each with its table of `ROUTES`."""
