"""What a run is, and what runs inside CI jobs."""
