"""Adapters over the jira package: requests and answers as values."""
