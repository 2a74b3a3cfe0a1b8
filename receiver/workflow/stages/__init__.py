"""What the events of each stage of a run lead to: its start, its pipeline, its merge requests."""
