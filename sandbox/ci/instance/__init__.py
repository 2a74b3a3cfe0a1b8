"""The CI engine inside the emulated GitLab: records as REST and hooks show them, ID tokens, predefined variables."""
