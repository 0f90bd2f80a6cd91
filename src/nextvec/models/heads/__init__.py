"""Heads, one file each: what a network's state predicts. `point` is the default and the reference."""
