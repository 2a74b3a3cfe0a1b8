"""What is known of runs and what was decided about them."""
