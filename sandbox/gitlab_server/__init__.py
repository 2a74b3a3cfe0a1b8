"""The emulated GitLab as one application: its API and CI together, and the pages for people."""
