"""What pages leave out first: before anybody is refused, everybody does without what can wait."""

from typing import NamedTuple


class Extra(NamedTuple):
    """A part of a page that can wait: it is left out from this level of brownout on.

    1 is for what one looks at in passing, 2 for what stands on another page too, 3 for all else that costs a
    statement. What a reader came for stays at every level: whoever does not find it asks for two pages more.
    `words` (see `mark`) name the part in the line that says so.
    """

    level: int
    words: str
