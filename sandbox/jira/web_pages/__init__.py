"""Pages for people: a ticket as Jira would show it."""
