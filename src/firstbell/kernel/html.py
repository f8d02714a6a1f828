"""Pages: Jinja templates beside the code that uses them, in the reader's language, compressed once."""

import json
import zlib
from collections.abc import Callable, MutableMapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import zstandard
from jinja2 import BaseLoader, Environment, FileSystemLoader, StrictUndefined, Template, TemplateNotFound
from litestar import Response
from litestar.connection import ASGIConnection
from markupsafe import Markup

from firstbell.kernel import i18n
from firstbell.kernel.page_code import PageCode
from firstbell.kernel.visit import Visit, visit_of

PACKAGE = Path(__file__).parent.parent
STATIC = PACKAGE / "static"
COMPRESSED_BYTES_MIN = 1_000
"""Below this, compressing costs more than it saves: it fits one packet."""


class _Templates(BaseLoader):
    """`courses/course.html` is `domains/courses/templates/course.html`; a bare name is the kernel's."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        domain, _, name = template.rpartition("/")
        folder = PACKAGE / "domains" / domain / "templates" if domain else PACKAGE / "kernel" / "templates"
        if not (folder / name).is_file():
            raise TemplateNotFound(template)
        return FileSystemLoader(folder).get_source(environment, name)

    def list_templates(self) -> list[str]:
        kernel = [file.name for file in (PACKAGE / "kernel" / "templates").glob("*.html")]
        domains = (PACKAGE / "domains").glob("*/templates/*.html")
        return kernel + [f"{file.parent.parent.name}/{file.name}" for file in domains]


class _Environment(Environment):
    """Templates stay as they are while a process runs: a page finds those it is made of by their names alone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._found: dict[str | Template, Template] = {}

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's word
    ) -> Template:
        """The template, compiled at its first use; `globals` are those of the environment.

        Raises:
            TemplateNotFound: there is none of that name.
        """
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = super().get_template(name, parent, globals)
        return found


@cache
def environment(locale: str) -> Environment:
    """The templates in one language."""
    made = _Environment(
        loader=_Templates(),
        autoescape=True,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.code_generator_class = PageCode
    made.install_gettext_translations(i18n.translations(locale), newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(locale=locale, asset=asset)
    made.filters.update(
        format_time=lambda value: i18n.format_time(value, locale),
        format_date=lambda value, kind="long": i18n.format_date(value, locale, kind),
        format_weekday=lambda value: i18n.format_date(value, locale, "weekday"),
        format_bytes=lambda value: i18n.format_bytes(value, locale),
    )
    return made


def compile_templates(locale: str) -> None:
    """Compile all, a third of a second: at a worker's first pages, which may be a storm's, each would wait for some."""
    made = environment(locale)
    for name in made.list_templates():
        made.get_template(name)


@lru_cache(maxsize=256)
def asset(name: str) -> str:
    """The address of a built asset, such as `app.css`; it carries a hash of the content.

    Raises:
        KeyError: the build made no such asset.
    """
    return f"/static/{_manifest()[name]}"


@cache
def _manifest() -> dict[str, str]:
    manifest: dict[str, str] = json.loads((STATIC / "manifest.json").read_text())
    return manifest


def macro(locale: str, template: str, name: str) -> Callable[..., Markup]:
    """A macro of a template in one language, for a part of a page that is drawn once and shown to many."""
    drawn: Callable[..., Markup] = getattr(environment(locale).get_template(template).module, name)
    return drawn


def page(
    connection: ASGIConnection[Any, Any, Any, Any],
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response[bytes]:
    """The page that `template` makes of `values`, in the shell of whoever asks."""
    visit = visit_of(connection.scope)
    body = (
        environment(visit.locale)
        .get_template(template)
        .render(
            viewer=visit.viewer,
            school=visit.school,
            nav=connection.app.state.navigation(visit, connection.scope["path"]),
            status=_status(visit),
            request_id=visit.request_id,
            now=visit.started_at,
            **values,
        )
        .encode()
    )
    encoded, encoding = compress(body, visit.header(b"accept-encoding"))
    sent = {"vary": "accept-encoding", **(headers or {})}
    if encoding:
        sent["content-encoding"] = encoding
    return Response(encoded, status_code=status, media_type="text/html", headers=sent)


class Status(NamedTuple):
    """How things stand, for the quiet line above a page: `level` is calm, busy or down."""

    level: str
    text: str


_BUSY = i18n.mark("It is busy at the moment. Everything on this page works.")
_LEFT_OUT = i18n.mark("It is busy. For a moment, this page leaves out %(parts)s.")


def _status(visit: Visit) -> Status | None:
    """Nothing in peace."""
    if not visit.brownout:
        return None
    words = i18n.translations(visit.locale).gettext
    if not visit.left_out:
        return Status("busy", words(_BUSY))
    parts = i18n.format_list([words(extra.words) for extra in visit.left_out], visit.locale)
    return Status("busy", words(_LEFT_OUT) % {"parts": parts})


_ZSTANDARD = zstandard.ZstdCompressor(level=1)
"""A page of 14 kB gets as small as on level 3, to 2%, in two thirds of the time."""


def compress(body: bytes, accepted: str) -> tuple[bytes, str]:
    """`body` in the cheapest encoding that the browser accepts and its name; "" when it stays as it is."""
    if len(body) < COMPRESSED_BYTES_MIN:
        return body, ""
    if "zstd" in accepted:
        return _ZSTANDARD.compress(body), "zstd"
    if "gzip" in accepted:
        packer = zlib.compressobj(level=4, wbits=31)
        return packer.compress(body) + packer.flush(), "gzip"
    return body, ""
