"""Errors as answers, mapped here alone: a kind page for people, RFC 9457 problem+json for programs."""

from typing import Any
from urllib.parse import quote

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from firstbell.kernel import errors
from firstbell.kernel.connections import AWAY
from firstbell.kernel.html import page
from firstbell.kernel.http import SAFE_METHODS, see_other
from firstbell.kernel.i18n import translations
from firstbell.kernel.visit import Visit, visit_of

log = structlog.get_logger("firstbell.problems")

_BY_STATUS: dict[int, type[errors.FirstbellError]] = {
    401: errors.NotSignedInError,
    403: errors.NotAllowedError,
    404: errors.NotFoundError,
    405: errors.NotFoundError,
    409: errors.ConflictError,
    413: errors.TooLargeError,
}


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer for `error`. What was written before it is undone, unless the error says that it stays."""
    visit = visit_of(request.scope)
    known = _known(error, visit)
    visit.keeps_transaction = known.keeps_transaction
    is_form = request.method not in SAFE_METHODS
    # Of a form with nothing filled in, such as a second sign-out, nothing could be lost.
    if type(known) is errors.NotSignedInError and wants_page(request) and visit.header(b"content-length") in ("", "0"):
        return _to_sign_in(request)
    come_back_s = _come_back_s(known, visit)
    advice = translate(visit, known.advice, known.values)
    headers = {"Retry-After": str(come_back_s)} if come_back_s else {}
    if wants_page(request):
        return page(
            request,
            "error.html",
            status=known.status,
            headers=headers,
            title=translate(visit, known.title, known.values),
            # Signing in leads to no page here: it is done beside this one, from which the form is sent again.
            advice="" if type(known) is errors.NotSignedInError else advice,
            step=known.next_step(is_form=is_form),
            signs_in=isinstance(known, errors.NotSignedInError),
            # A page that tries by itself would bring no form.
            come_back_s=0 if is_form else come_back_s,
        )
    return Response(
        msgspec.json.encode(
            {
                "type": f"urn:firstbell:problem:{known.kind}",
                "title": translate(visit, known.title, known.values),
                "detail": advice,
                "status": known.status,
                "instance": visit.request_id,
            }
        ),
        status_code=known.status,
        media_type="application/problem+json",
        headers=headers,
    )


def _come_back_s(error: errors.FirstbellError, visit: Visit) -> int:
    """Seconds until it is worth trying again, 0 when nobody knows; spread, so that not all who saw it come at once."""
    least_s = error.retry_after_s or 0
    return least_s + visit.started_at.microsecond % (least_s + 1)


def _to_sign_in(request: Request[Any, Any, Any]) -> Response[Any]:
    """Where a person signs in, and from there back to the page that was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    is_page = request.method == "GET" and asked != "/"
    return see_other(f"/sign-in?next={quote(asked, safe='/')}" if is_page else "/sign-in")


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """True when a person looks at the answer: the browser asks for HTML."""
    return "text/html" in visit_of(request.scope).header(b"accept")


def translate(visit: Visit, message: str, values: dict[str, Any]) -> str:
    """`message` in the language of the visit."""
    text = translations(visit.locale).gettext(message)
    return text % values if values else text


def _known(error: Exception, visit: Visit) -> errors.FirstbellError:
    if isinstance(error, errors.FirstbellError):
        return error
    if isinstance(error, AWAY):
        log.warning("database away", request_id=visit.request_id, route=visit.route, reason=str(error))
        return errors.AwayError()
    if isinstance(error, HTTPException) and not isinstance(error, NotAuthorizedException):
        if error.status_code in _BY_STATUS:
            return _BY_STATUS[error.status_code]()
        if error.status_code < HTTP_500_INTERNAL_SERVER_ERROR:
            return errors.InvalidError()
    log.error("fault", request_id=visit.request_id, route=visit.route, exc_info=error)
    return errors.FirstbellError()
