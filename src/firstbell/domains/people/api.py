"""What programs and open pages ask about sessions."""

from typing import Any

from litestar import Request, post

from firstbell.domains.people.access import Entrance
from firstbell.domains.people.model import PUBLIC
from firstbell.kernel.errors import NotSignedInError
from firstbell.kernel.http import visit_of
from firstbell.kernel.routes import Priority, route


@post("/session/refresh", opt=route(PUBLIC, Priority.P0), status_code=204)
async def refresh_session(request: Request[Any, Any, Any], entrance: Entrance) -> None:
    """Stay signed in: new cookies for the ones that are shown."""
    await entrance.refresh(request, lasting=False)
    if visit_of(request.scope).viewer is None:
        raise NotSignedInError


HANDLERS = [refresh_session]
