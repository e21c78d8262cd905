"""The figures of the house, each against a bare script in the same run: `python -m benchmarks`."""
