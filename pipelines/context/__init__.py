"""What agents know of a repository before they read it, built from git."""
