"""Renaming, removing and archiving: what is needed is not taken away, and what is half done can be done again."""
