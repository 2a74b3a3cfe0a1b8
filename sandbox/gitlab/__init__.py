"""GitLab emulated: REST v4 as python-gitlab uses it, git over smart HTTP, signed hooks."""
