"""An application that answers with what it was asked, and believes a device or gives a ticket when it is told to."""

import json

from firstbell.gate.gate import BELIEVED
from firstbell.kernel.asgi import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message.get("more_body"):
            break
    headers = [(name.decode(), value.decode()) for name, value in scope["headers"]]
    extra = [BELIEVED] if ("believed", "yes") in headers else []
    if ("gives", "ticket") in headers:
        extra.append((b"set-cookie", b"ticket=t; Path=/"))
    told = json.dumps({"path": scope["path"], "headers": headers, "bytes": len(body)}).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), *extra]}
    )
    await send({"type": "http.response.body", "body": told})
