"""What came out, kept exactly once."""
