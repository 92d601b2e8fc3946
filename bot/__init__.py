"""The composition root: settings in, a running Porter out."""

__version__ = "0.1.0"
