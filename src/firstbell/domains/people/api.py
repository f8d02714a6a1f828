"""What programs and open pages ask about sessions."""

from typing import Any

from litestar import Request, post

from firstbell.domains.people.access import Entrance
from firstbell.domains.people.model import REFRESHING
from firstbell.kernel.errors import NotSignedInError
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import visit_of


@post("/session/refresh", opt=route(REFRESHING, Priority.P0), status_code=204)
async def refresh_session(request: Request[Any, Any, Any], entrance: Entrance) -> None:
    """Stay signed in: new cookies for the ones that are shown."""
    visit = visit_of(request.scope)
    await entrance.refresh(visit, at_once=True)
    if visit.viewer is None:
        raise NotSignedInError


HANDLERS = [refresh_session]
