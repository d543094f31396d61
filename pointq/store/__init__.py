"""PostgreSQL and TimescaleDB: tables, and how batches get into them."""
