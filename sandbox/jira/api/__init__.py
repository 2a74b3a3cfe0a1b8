"""Jira's REST routes, version 2, as the jira package calls them."""
