"""Errors that a domain raises, each with its HTTP status and words for the reader; the edge maps it once."""

from typing import Any

from firstbell.kernel.i18n import mark


class OperatorError(Exception):
    """Something that whoever runs Firstbell must know; the message is one English sentence for the command line."""


class FirstbellError(Exception):
    """Something a reader can understand and act on.

    Attributes:
        status: HTTP status.
        kind: name for programs, the last part of the problem's type.
        title: what happened, a message id.
        advice: what to do next, a message id.
        passes: True when the same request may do better later; else it must be another.
        keeps_transaction: True when what was written before it must stay: the end of a stolen session.
        retry_after_s: when to come back, in seconds, for what passes by itself.
    """

    status = 500
    kind = "fault"
    title = mark("Something went wrong here.")
    advice = mark("It is not your fault. Try again in a minute; what you handed in before is safe.")
    passes = True
    keeps_transaction = False
    retry_after_s: int | None = None

    def __init__(self, title: str | None = None, advice: str | None = None, **values: Any) -> None:
        self.title = title or type(self).title
        self.advice = advice or type(self).advice
        self.values = values
        super().__init__(self.title)

    @classmethod
    def next_step(cls, *, is_form: bool) -> str:
        """What a page offers first: "again" or "today"; for a form "resend", or "back" to change it."""
        if is_form:
            return "resend" if cls.passes else "back"
        return "again" if cls.passes else "today"


class NotFoundError(FirstbellError):
    """The thing does not exist, or not for this viewer: the two look the same."""

    status = 404
    kind = "not-found"
    title = mark("We cannot find this page.")
    advice = mark("It may have moved, or it is not meant for you. Go to Today, or ask whoever gave you the address.")
    passes = False


class NotAllowedError(FirstbellError):
    """The viewer may see the thing but not do this to it."""

    status = 403
    kind = "not-allowed"
    title = mark("You cannot do this.")
    advice = mark("If you think you should be able to, ask the school's ICT coordinator.")
    passes = False


class CrossSiteError(FirstbellError):
    """Another site made the browser send this, so it is not what its user wanted; or a proxy changes our host name."""

    status = 403
    kind = "cross-site"
    title = mark("This came from another site.")
    advice = mark("Nothing was done. If you wanted this, go to Today and do it there.")
    passes = False


class NotSignedInError(FirstbellError):
    """Nobody is signed in; people are sent to the sign-in page, programs get this."""

    status = 401
    kind = "not-signed-in"
    title = mark("Sign in first.")
    advice = mark("After that we bring you to the page that you asked for.")


class StolenSessionError(NotSignedInError):
    """A refresh token came back after its successor was used: two hold it, so nobody may."""

    kind = "stolen-session"
    title = mark("We signed you out to be safe.")
    advice = mark("The key of this device was used twice. Sign in again; if it was not you, change your password.")
    keeps_transaction = True


class InvalidError(FirstbellError):
    """What was sent cannot be accepted; the title says why in one sentence."""

    status = 422
    kind = "invalid"
    title = mark("Something in the form is not right.")
    advice = mark("Go back, change it and send it again. Nothing was saved.")
    passes = False


class ConflictError(FirstbellError):
    """The thing changed in the meantime."""

    status = 409
    kind = "conflict"
    title = mark("Somebody changed this before you.")
    advice = mark("Open the page again to see how it is now.")
    passes = False


class TooLargeError(FirstbellError):
    """The body is larger than its route allows."""

    status = 413
    kind = "too-large"
    title = mark("This is too large to send.")
    advice = mark("Make it smaller or send it in parts. Nothing was saved.")
    passes = False


class SlowBodyError(FirstbellError):
    """The body arrived so slowly that nobody waits for it."""

    status = 408
    kind = "slow"
    title = mark("What you sent did not arrive in time.")
    advice = mark("Your line may be weak here. Try again; nothing was saved.")


class TooManyError(FirstbellError):
    """One browser asks for more than a person can."""

    status = 429
    kind = "too-many"
    title = mark("This device asks for too much at once.")
    advice = mark("Wait a moment and go on. What you handed in is safe.")
    retry_after_s = 5


class BusyError(FirstbellError):
    """A bounded queue is full."""

    status = 503
    kind = "busy"
    title = mark("It is very busy at the moment.")
    advice = mark("Try again in a moment. Your place and your work are safe.")

    def __init__(self, retry_after_s: int = 5, **values: Any) -> None:
        super().__init__(**values)
        self.retry_after_s = retry_after_s


class AwayError(FirstbellError):
    """The database does not answer, or not in time: it starts again, or another takes its place."""

    status = 503
    kind = "away"
    title = mark("We cannot reach your school's data for a moment.")
    advice = mark("Try again in a few seconds. What you handed in is safe.")
    retry_after_s = 3
