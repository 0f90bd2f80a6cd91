"""Text in, continuation out: chunks, vectors, predictions, decoded and fed back.

Knows no HTTP: the server and the Python API both go through it.
"""
