"""Jira's REST routes, versions 2 and 3, as the jira package calls them."""
