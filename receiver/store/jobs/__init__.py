"""What jobs hold and hand in: sessions, reports, blobs, transcripts."""
