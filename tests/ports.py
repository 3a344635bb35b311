"""A port for a server that a test is about to start."""

import random
import socket

# Below those that Linux lends to outgoing connections: nobody is given it between the look and the server's start.
CANDIDATES = range(15_000, 32_000)


def free_port() -> int:
    """A port of this machine on which nobody listens, another one for each caller."""
    dice = random.Random()  # from the system, not from the test: several runs may be at it on one machine
    for _ in range(100):
        port = dice.choice(CANDIDATES)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError("somebody listens on every port that was tried")
