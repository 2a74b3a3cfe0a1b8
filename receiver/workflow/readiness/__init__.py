"""Whether a ticket says enough for an analysis, decided without a model."""
