"""Training of the inverter: chunks and their vectors in, a decoder's bundle out."""
