"""What people do in GitLab's pages: the demo's actors."""
