"""The workers that store what waits."""
