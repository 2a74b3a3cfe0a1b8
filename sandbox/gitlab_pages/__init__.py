"""The emulated GitLab's pages for people: read-only, without login, everything escaped."""
