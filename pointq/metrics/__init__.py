"""What pointq counts and tells Prometheus, in the words of docs/metrics.md."""
