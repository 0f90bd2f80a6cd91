"""Where a model's files are."""

from __future__ import annotations

from pathlib import Path

from nextvec.errors import NotFoundError

FETCHED = ("*.json", "*.safetensors", "*.model")


def find_folder(name: str, *, owner: str) -> Path:
    """A folder as it is; anything else is fetched from the Hugging Face hub or its local cache.

    Raises NotFoundError, in which `owner` names what the files are for.
    """
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(snapshot_download(name, allow_patterns=list(FETCHED)))
    except HFValidationError:
        raise NotFoundError(
            f"{owner}: '{name}' is no folder, and no name on the Hugging Face hub. Give one that is: {owner}:FOLDER"
        ) from None
    except OSError as error:
        reason = str(error).strip().split("\n")[0]
        raise NotFoundError(
            f"{owner}: there is no folder '{name}' in {Path.cwd()}, and the local cache and the Hugging Face hub do "
            f"not give it ({reason}). Connect to the hub once, or give the whole path of a folder: {owner}:FOLDER"
        ) from None
