"""A competition that never was: devices that send points over HTTP as real ones do, and an account of what became of them."""
