"""The HTTP server that takes points."""
