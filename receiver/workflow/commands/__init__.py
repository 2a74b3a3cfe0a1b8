"""What people tell a run to do, by comment, label or terminal: who may, when, and what it means."""
