"""Figures about runs and the workflow: pure, over what the store reads. The health score and its weights go here."""
