"""What is known of the next chunk before it is there. B documents, T positions."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nextvec.heading import NextHeading


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """Of the chunk after each position: `begins_BT` int8, whether it begins a paragraph (`structure`), and the
    `heading` that it stands under; None where nothing is known."""

    begins_BT: Tensor | None = None
    heading: NextHeading | None = None

    @classmethod
    def of(cls, begins_BT: Tensor | None, heading: NextHeading | None) -> Ahead | None:
        """None where neither is given."""
        return None if begins_BT is None and heading is None else cls(begins_BT, heading)
