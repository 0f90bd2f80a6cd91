"""Running pre-trained transformers fast. Imported only once such an encoder is loaded: these modules import torch."""
