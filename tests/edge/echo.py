"""An application that answers with what it was asked, and with the cookies that the request wants to be given."""

import json

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
    given = [(b"set-cookie", value.encode()) for name, value in headers if name == "give"]
    told = json.dumps({"path": scope["path"], "headers": headers, "bytes": len(body)}).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), *given]}
    )
    await send({"type": "http.response.body", "body": told})
