"""Vectors to neighbours: search over stored vectors, and what is done with the neighbours before decoding."""
