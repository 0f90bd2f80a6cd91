"""The structure of a text beside its chunks: which of them begin a paragraph."""

from __future__ import annotations

UNKNOWN, CONTINUES, BEGINS = -1, 0, 1
"""What is known of a chunk, int8: nothing (vectors that came without their text), that it goes on with the paragraph
of the chunk before it, or that it begins one."""
