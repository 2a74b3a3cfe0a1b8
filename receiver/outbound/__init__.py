"""Effects performed: thin adapters over python-gitlab and jira, and what each effect does with them."""
