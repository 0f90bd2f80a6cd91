"""nextvec: models that predict the next vector of a document, trained, compared and served."""

from importlib.metadata import version

__version__ = version("nextvec")
