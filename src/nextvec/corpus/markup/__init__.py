"""Markup to plain prose: one reader for each language that sources are written in."""
