"""The same work on many machines, with Ray: what comes out is what one process makes. Imported where it is used."""
