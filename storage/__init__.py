"""SQLite and encryption at rest. Imports nothing of ours: everything above stands on it."""
