"""The firewall of the edge, loaded by the kernel into a network of its own where this machine allows to make one."""

import subprocess
import sys

from firstbell.rehearsal.edge import CONFIGURATION
from tests.edge import namespace

ALONE = ["unshare", "--map-root-user", "--net", "--mount"]
FIREWALL = str(CONFIGURATION / "nftables.conf")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_busy_address_is_slowed_down_and_another_is_not() -> None:
    if run(*ALONE, "true").returncode:  # a container that may not make networks: then at least every line is understood
        checked = run("nft", "--check", "--file", FIREWALL)
        assert checked.returncode == 0, checked.stderr
        return
    ran = run(*ALONE, sys.executable, namespace.__file__, FIREWALL)
    assert ran.returncode == 0, ran.stderr
    busy, other = map(int, ran.stdout.split())
    assert 2_000 <= busy < namespace.MANY
    assert other == namespace.FEW
