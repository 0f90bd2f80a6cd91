"""How amounts are written for people: "1 document", "1,200 chunks"."""


def plural(amount: int, noun: str) -> str:
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"


def extent(documents: int, chunks: int) -> str:
    """What a corpus holds: "12 documents, 340 chunks"."""
    return f"{plural(documents, 'document')}, {plural(chunks, 'chunk')}"
