"""Licences that forbid something are said where weights are first loaded; specs and cards repeat them."""

from __future__ import annotations

import logging
import re
from functools import cache

NON_COMMERCIAL = "CC-BY-NC-4.0"

log = logging.getLogger("nextvec.licence")


def is_non_commercial(licence: str) -> bool:
    """By its name: CC-BY-NC-4.0, cc-by-nc-sa-3.0 ..."""
    return "nc" in re.split(r"[\W_]+", licence.lower())


@cache
def say_licence(owner: str, licence: str, what: str) -> None:
    """Once in a process, as a warning: without a handler of the caller's it goes to standard error.

    `what`: what the licence forbids or asks for, in a few words.
    """
    log.warning("%s: its weights are under %s: %s", owner, licence, what)
