"""The supervisor of a job: from the ID token to the report."""
