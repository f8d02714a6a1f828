"""Every route says how urgent it is."""

import secrets
from pathlib import Path

import pytest

from firstbell.app import create_app
from firstbell.gate.asker import UNDECLARED, Declared, RouteTable, Rule
from firstbell.kernel.routes import Priority
from firstbell.settings import Settings


def test_a_route_is_found_by_whole_path_and_by_its_parts() -> None:
    table = RouteTable(
        [
            Declared("GET", "/", {"priority": Priority.P1}),
            Declared("GET", "/courses/{course:uuid}", {"priority": Priority.P2}),
            Declared("POST", "/courses/{course:uuid}/documents", {"priority": Priority.P3}),
            Declared("GET", "/files/{path:path}", {"priority": Priority.P4}),
        ]
    )
    assert table.find("HEAD", "/") == Rule(Priority.P1)
    assert table.find("GET", "/courses/7") == Rule(Priority.P2)
    assert table.find("POST", "/courses/7/documents") == Rule(Priority.P3)
    assert table.find("GET", "/files/a/b/c") == Rule(Priority.P4)
    assert table.find("GET", "/wp-login.php") is UNDECLARED
    assert table.find("DELETE", "/courses/7") is UNDECLARED


def test_a_route_without_a_priority_is_found_before_anything_is_served() -> None:
    with pytest.raises(ValueError, match="GET /new declares no priority"):
        RouteTable([Declared("GET", "/new", {})])


# Litestar 3 will want dependencies and parameters to be marked; that is for whoever moves to it.
@pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")
def test_every_route_declares_its_priority(tmp_path: Path) -> None:
    create_app(Settings(secret_keys=f"t:{secrets.token_hex(32)}", data_dir=tmp_path))
