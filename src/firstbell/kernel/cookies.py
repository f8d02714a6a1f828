"""Cookies as headers have them."""


def cookie_name(name: str, *, secure: bool) -> str:
    """The name as the browser sees it: `__Host-` binds a cookie to this host and to TLS."""
    return f"__Host-{name}" if secure else name


def cookie_in(cookies: str, name: str) -> str:
    """The value of one cookie in the header; `name` ends with its equals sign. "" when it is not there."""
    if name not in cookies:
        return ""
    start = 0 if cookies.startswith(name) else cookies.find(f"; {name}") + 2
    if start == 1:
        return ""
    start += len(name)
    end = cookies.find(";", start)
    return cookies[start:] if end < 0 else cookies[start:end]


def cookie_text(name: str, value: str, *, max_age_s: int | None, secure: bool) -> str:
    """A cookie of the whole site that scripts cannot read, as its header has it. See `Visit.set_cookie`."""
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    tail = "; Secure" if secure else ""
    return f"{cookie_name(name, secure=secure)}={value}; Path=/{age}; HttpOnly; SameSite=Lax{tail}"
