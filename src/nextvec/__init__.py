"""nextvec: models that predict the next vector of a document, trained, compared and served."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> str:
    # Reading the installed version takes a tenth of a second, which the command line's --help need not pay.
    if name == "__version__":
        from importlib.metadata import version

        return version("nextvec")
    raise AttributeError(f"module 'nextvec' has no attribute '{name}'")
