"""Litestar controllers and pages: HTTP in, documents out."""
