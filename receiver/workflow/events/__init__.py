"""What a delivery, a report or a performed effect means, in the past tense. Data only."""
