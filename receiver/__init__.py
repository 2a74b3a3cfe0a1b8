"""The service: what came in, what it means, what to do about it."""
