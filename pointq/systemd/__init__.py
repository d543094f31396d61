"""What a process and the service manager that started it say to each other: state, signs of life, and sockets."""
