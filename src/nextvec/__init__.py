"""nextvec: models that predict the next vector of a document, trained, compared and served.

From Python: `nextvec.open("workspace")`, see `nextvec.api`. Importing this package imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nextvec.api import Comparison as Comparison
    from nextvec.api import Corpus as Corpus
    from nextvec.api import Model as Model
    from nextvec.api import NextvecError as NextvecError
    from nextvec.api import Workspace as Workspace
    from nextvec.api import architectures as architectures
    from nextvec.api import describe as describe
    from nextvec.api import open as open
    from nextvec.api import register as register

    __version__: str

__all__ = [
    "Comparison", "Corpus", "Model", "NextvecError", "Workspace", "__version__", "architectures", "describe", "open",
    "register",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    # Reading the installed version takes a tenth of a second, which the command line's --help need not pay.
    if name == "__version__":
        from importlib.metadata import version

        return version("nextvec")
    if name in __all__:
        from nextvec import api

        return getattr(api, name)
    raise AttributeError(f"module 'nextvec' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
