"""Measurements, as ratios in one run. `python -m benchmarks NAME --json` prints one line (see report.py)."""
