"""What operators do, without the terminal."""
