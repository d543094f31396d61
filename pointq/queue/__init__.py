"""Redis: lanes of batches, and what happens to them in one atomic step each."""
