"""GitLab, Jira and Anthropic emulated over real HTTP with real git; speaks HTTP only and imports neither package."""
