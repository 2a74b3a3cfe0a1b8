"""What can be wrong with a CI configuration or a request to the CI engine."""

__all__ = ["CiError", "ConfigError", "PipelineRefused"]


class CiError(Exception):
    """Base of all refusals of the CI engine; the message is what GitLab would show."""


class ConfigError(CiError):
    """The CI configuration is invalid, or uses a keyword that this emulator does not know."""

    def __init__(self, *errors: str) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


class PipelineRefused(CiError):  # noqa: N818 - a refusal, in GitLab's own words, is not a malfunction
    """The configuration is fine, but no pipeline is created."""
