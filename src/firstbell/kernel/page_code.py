"""How templates become Python: what never changes is worked out once, and calls are plain calls.

Jinja asks at every call whether its target wants the context, and looks up every constant word again for every page.
On a page made of many small macros that is half of its cost.
"""

from io import StringIO
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.utils import _PassArg
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

_WORDS = frozenset({"_", "gettext"})
_ADDRESSES = frozenset({"asset"})


class PageCode(CodeGenerator):
    """Generates the code of one template, for an environment with one language and fixed assets."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        """Work out the constants first, so that Jinja joins them with the text around."""
        super().visit_Template(_Constants(self.environment).visit(node), frame)

    def visit_Import(self, node: nodes.Import, frame: Frame) -> None:  # noqa: N802
        """Take the imported template as it is: Jinja compares all globals first, at each import of each page."""
        stream, self.stream = self.stream, StringIO()
        super().visit_Import(node, frame)
        written, self.stream = self.stream, stream
        stream.write(written.getvalue().replace("._get_default_module(context)", ".module"))

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        """Call the target itself, unless it is a global that wants the context."""
        if isinstance(node.node, nodes.Name) and _wants_context(self.environment, node.node.name):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write(f"({self._arguments(node, frame, forward_caller)})")

    def _arguments(self, node: nodes.Call, frame: Frame, forward_caller: bool) -> str:
        # Jinja writes them after a comma of its own, straight into the stream.
        stream, self.stream = self.stream, StringIO()
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        written, self.stream = self.stream, stream
        return written.getvalue().removeprefix(", ")


class _Constants(NodeTransformer):
    """Puts in place of `_("Save")` its translation, and of `asset("app.css")` its address."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return node
        match node.args:
            case [nodes.Const(value=str() as text)] if node.node.name in _WORDS:
                words = Markup(self._call("gettext", text))  # noqa: S704 - of our own catalogues, as jinja2.ext.i18n does
                return nodes.Const(words, lineno=node.lineno)
            case [nodes.Const(value=str() as text)] if node.node.name in _ADDRESSES:
                return nodes.Const(self._call(node.node.name, text), lineno=node.lineno)
        return node

    def _call(self, name: str, text: str) -> Any:
        function: Any = self._environment.globals[name]
        if _wants_context(self._environment, name):
            return function(self._environment.from_string("").new_context(), text)
        return function(text)


def _wants_context(environment: Environment, name: str) -> bool:
    target: Any = environment.globals.get(name)
    return target is not None and _PassArg.from_obj(target) is not None
