"""Folders, repositories and files that a phase works with."""
