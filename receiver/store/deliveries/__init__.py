"""What came in: the inbox, deliveries while they are handled, comments taken in."""
