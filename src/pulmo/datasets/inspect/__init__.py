"""What a manifest holds, in numbers, and what tells its classes apart without a look at a pixel."""
