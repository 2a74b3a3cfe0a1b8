"""GitLab's REST v4, as far as it is emulated: one module per noun, each with its table of `ROUTES`."""
