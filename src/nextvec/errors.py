"""Every error this package raises on purpose.

NextvecError                 base: the message is one line that says what was given, what was expected, what to do
├── UsageError               the call is wrong: an unknown name, option or value (exit status 2)
├── NotFoundError            no corpus, tag, model or file of that name
├── DataError                content that cannot be used: malformed file, NaN, zero vector, wrong shape
│   └── RefusedTextsError    some of many texts cannot be encoded; it holds the vectors of the others
├── MismatchError            two things that must agree do not: encoders, splits, dimensions; both are named
├── IntegrityError           stored bytes are not what their record says: weights hash, probe, size
├── FullDiskError            no space is left for what was to be stored
│   └── LargeFileError       a file would be larger than the system, or the user's limit, allows
├── StorageError             a bucket does not answer, or refuses
│   └── LostRaceError        another process wrote first, or took over a lease that ran out; nothing was replaced
├── TrainingError            a run that cannot go on: non-finite loss, collapse, no training documents
└── MissingDependencyError   an optional package is needed; the message holds the pip command
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any


class NextvecError(Exception):
    """Base of the tree above. `exit_status` is what the command line returns for it."""

    exit_status = 1


class UsageError(NextvecError):
    exit_status = 2

    @classmethod
    def unknown(cls, what: str, given: str, known: Iterable[str]) -> UsageError:
        """The error for a name that is not one of `known`, with the nearest known name when there is one."""
        names = sorted(set(known))
        return cls(f"unknown {what} '{given}'. {did_you_mean(given, names)}Known: {', '.join(names) or 'none'}.")


class NotFoundError(NextvecError):
    pass


class DataError(NextvecError):
    pass


class RefusedTextsError(DataError):
    """Some of many texts cannot be encoded, whatever shares their batch; an encoder raises it after all others are.

    Attributes:
        reasons: by the text's index, what follows its name in a sentence: "is refused by the server: ...".
        vectors: float32 (N, D) of all texts, NaN in the rows of these.
    """

    def __init__(self, message: str, reasons: Mapping[int, str], vectors: Any) -> None:
        super().__init__(message)
        self.reasons = reasons
        self.vectors = vectors

    @classmethod
    def of(cls, owner: str, texts: Sequence[str], reasons: Mapping[int, str], vectors: Any) -> RefusedTextsError:
        """The error that names the first of the texts, and how many there are."""
        first = min(reasons)
        return cls(
            f"{owner}: {len(reasons)} of {len(texts)} texts cannot be encoded; the first, text {first} "
            f"({len(texts[first]):,} characters), {reasons[first]}",
            reasons,
            vectors,
        )


class MismatchError(NextvecError):
    pass


class IntegrityError(NextvecError):
    pass


class FullDiskError(NextvecError):
    """`what` could not be written to `place`; `kept` says what is stored all the same."""

    reason = "the disk is full: no space for"
    remedy = "Free some space there"

    def __init__(self, what: str, place: object, kept: str) -> None:
        super().__init__(
            f"{self.reason} {what} in {place}. {kept}. {self.remedy} and run the same command again, with --resume "
            "where a training had begun"
        )
        self.what = what
        self.place = place


class LargeFileError(FullDiskError):
    reason = "files may not be large enough for"
    remedy = "Raise the limit (ulimit -f unlimited), or take a file system that holds larger files,"


class StorageError(NextvecError):
    pass


class LostRaceError(StorageError):
    pass


class TrainingError(NextvecError):
    pass


class MissingDependencyError(NextvecError):
    @classmethod
    def for_extra(cls, package: str, extra: str) -> MissingDependencyError:
        return cls(f"this needs the package '{package}', which is not installed. Run: pip install 'nextvec[{extra}]'")


def require_packages(extra: str, *packages: str) -> None:
    """Raises MissingDependencyError unless all packages of an extra are installed; nothing is imported."""
    for package in packages:
        if find_spec(package) is None:
            raise MissingDependencyError.for_extra(package, extra)


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """ "Did you mean 'NAME'? " with the nearest known name that is another, or nothing when none is near."""
    near = difflib.get_close_matches(str(given), sorted({*known} - {str(given)}), n=1, cutoff=0.5)
    return f"Did you mean '{near[0]}'? " if near else ""
