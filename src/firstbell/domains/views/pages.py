"""The pages that gather."""

from typing import Any

from litestar import Request, Response, get

from firstbell.domains.people.model import SIGNED_IN, Viewer
from firstbell.kernel.db import Transaction
from firstbell.kernel.html import page
from firstbell.kernel.routes import Priority, route


@get("/", opt=route(SIGNED_IN, Priority.P1))
async def show_today(request: Request[Any, Any, Any], tx: Transaction, viewer: Viewer) -> Response[bytes]:
    """Today, for whoever asks."""
    del tx, viewer
    return page(request, "views/today.html")


HANDLERS = [show_today]
