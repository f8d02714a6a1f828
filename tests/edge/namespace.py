"""Run inside a network namespace of its own: two machines on a wire, one of them with the firewall of the edge.

Prints how many of many connections came through from a busy address, and of a few from another one meanwhile.
"""

import resource
import selectors
import socket
import subprocess
import sys
import time

EDGE, BUSY, OTHER = "10.83.0.1", "10.83.0.2", "10.83.0.3"
MANY, FEW = 3_500, 20
ANSWER_S = 0.7
"""Below the second after which a SYN that was dropped is sent again."""


def run(command: str) -> None:
    subprocess.run(command.split(), check=True)


def open_connections(source: str, number: int) -> int:
    """How many of so many connections are open a moment later."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    made = [socket.socket() for _ in range(number)]
    selector = selectors.DefaultSelector()
    for one in made:
        one.setblocking(False)
        one.bind((source, 0))
        one.connect_ex((EDGE, 80))
        selector.register(one, selectors.EVENT_WRITE)
    deadline, opened = time.monotonic() + ANSWER_S, 0
    while (left_s := deadline - time.monotonic()) > 0:
        for key, _ in selector.select(left_s):
            selector.unregister(key.fileobj)
            opened += 1
    for one in made:
        one.close()
    return opened


def main(firewall: str) -> None:
    run("mount -t tmpfs none /run")
    run("ip netns add clients")
    run("ip link add edge0 type veth peer name client0 netns clients")
    run(f"ip address add {EDGE}/24 dev edge0")
    run("ip link set edge0 up")
    run(f"ip -n clients address add {BUSY}/24 dev client0")
    run(f"ip -n clients address add {OTHER}/24 dev client0")
    run("ip -n clients link set client0 up")
    run(f"nft -f {firewall}")
    with socket.create_server((EDGE, 80), backlog=4_096):
        clients = ["ip", "netns", "exec", "clients", sys.executable, __file__]
        subprocess.run(clients, check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        print(open_connections(BUSY, MANY), open_connections(OTHER, FEW))
