"""Tables of what the numbers do and do not show."""
