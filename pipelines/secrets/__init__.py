"""Find secrets in what a change adds: asked in jobs before a change is handed in, by the receiver before it commits."""

from pipelines.secrets.search import find_secrets

__all__ = ["find_secrets"]
