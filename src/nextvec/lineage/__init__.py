"""What a model comes from, and what became of it."""
