"""What a point is: kinds, batches, validation, the frame. Pure: no I/O."""
