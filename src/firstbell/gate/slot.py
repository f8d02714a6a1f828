"""The slot of a request, from its admission to its end."""

import asyncio
import time

from firstbell.gate.admission import Admission
from firstbell.kernel.asgi import Message, Receive, Send


class UnreadError(BaseException):
    """Ends an answer of which nobody reads on; no handler of the application has anything to say to it."""


class Slot:
    """The slot of one request, lent to others while its client sends or reads at its own pace."""

    __slots__ = ("_admission", "_is_held", "_school", "_stall_s")

    def __init__(self, admission: Admission, school: bytes, stall_s: float) -> None:
        self._admission = admission
        self._school = school
        self._stall_s = stall_s
        self._is_held = True

    def leave(self) -> None:
        """The request is over."""
        if self._is_held:
            self._is_held = False
            self._admission.leave(self._school, time.monotonic())

    def receiving(self, receive: Receive) -> Receive:
        """`receive`, without the slot while nothing comes."""

        async def receive_outside() -> Message:
            if not self._is_held:
                return await receive()
            self._admission.leave(self._school, time.monotonic())
            try:
                return await receive()
            finally:
                self._admission.step_in(self._school)

        return receive_outside

    def sending(self, send: Send) -> Send:
        """`send`, which gives the slot back for good after the first part of an answer of several.

        Raises:
            UnreadError: nobody reads on.
        """

        async def send_at_their_pace(message: Message) -> None:
            if not message.get("more_body"):
                await send(message)
                return
            self.leave()
            try:
                async with asyncio.timeout(self._stall_s):
                    await send(message)
            except TimeoutError as error:
                raise UnreadError from error

        return send_at_their_pace
