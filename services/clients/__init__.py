"""User clients: the narrow protocols that services speak (base), and one adapter per library."""
