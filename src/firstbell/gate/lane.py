"""The small lane for requests that hash a password: 45 ms of a core each, so that few go at once and few wait."""


class HashLane:
    """Places of one worker. Strangers may fill half; those of one school its share of that while others come too."""

    def __init__(self, places: int, school_share: float) -> None:
        self._places = places
        self._school_share = school_share
        self._by_school: dict[bytes, int] = {}
        self.taken = 0

    def enter(self, school: bytes, *, is_known: bool) -> bool:
        """Take a place; whoever gets one must `leave`."""
        places = self._places if is_known else self._places // 2
        own = self._by_school.get(school, 0)
        is_alone = own == self.taken
        if self.taken >= places or not (is_known or is_alone or own < max(1, places * self._school_share)):
            return False
        self.taken += 1
        self._by_school[school] = own + 1
        return True

    def leave(self, school: bytes) -> None:
        """Give the place back."""
        self.taken -= 1
        if self._by_school[school] == 1:
            del self._by_school[school]
        else:
            self._by_school[school] -= 1
