"""Benchmarks that a user runs on their own installation: every figure beside its floor, measured in the same run."""
