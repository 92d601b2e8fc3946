"""The composition root: settings in, a running Porter out."""
