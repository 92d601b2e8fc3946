"""What Porter does. Knows no bot framework and no SQL."""
