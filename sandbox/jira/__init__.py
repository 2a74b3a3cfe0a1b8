"""Jira, emulated: REST as the `jira` package uses it, admin webhooks, Cloud and Data Center shapes, pages."""
