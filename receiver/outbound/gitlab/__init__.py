"""Adapters over python-gitlab: requests and answers as values."""
