"""What a manifest contains, in numbers, and which facts predict its classes without any pixel."""
