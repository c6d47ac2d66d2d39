# SPDX-License-Identifier: GPL-2.0
"""Scenes on loopback: sessions with two ends here, and so two rows, in each flavour of
address families."""

import socket
from typing import NamedTuple

from lib import life
from lib.ktap import Skip, equal
from lib.life import receive
from lib.world import listener, sysctl

INET, INET6 = socket.AF_INET, socket.AF_INET6


class Flavour(NamedTuple):
    """Of which family the listener is, and of which who connects to it."""
    passive: int
    active: int
    bound: str
    connected: str

    def door(self, backlog=16, setup=None):
        """A listener."""
        return listener(self.passive, backlog, self.bound, setup=setup)

    def client(self, setup=None):
        """A socket to connect with."""
        sock = socket.socket(self.active, socket.SOCK_STREAM)
        if setup:
            setup(sock)
        return sock

    def connect(self, sock, door):
        """Connect @sock to the listener @door."""
        sock.connect((self.connected, door.getsockname()[1]))

    def pair(self):
        """A connection: the end that connected, the end that accepted."""
        with self.door() as door:
            client = self.client()
            self.connect(client, door)
            return client, door.accept()[0]


FLAVOURS = {
    "v4": Flavour(INET, INET, "127.0.0.1", "127.0.0.1"),
    "v6": Flavour(INET6, INET6, "::1", "::1"),
    "mapped": Flavour(INET6, INET6, "::ffff:127.0.0.1", "::ffff:127.0.0.1"),
    "dual": Flavour(INET6, INET, "::", "127.0.0.1"),
}


def say(one, other, count):
    """@count bytes from @one to @other."""
    one.sendall(b"x" * count)
    receive(other, count)


def tail(stage):
    """Nothing comes after the last scene, and nothing is left."""
    equal([row.line for row in stage.follower.now()], [], "rows at the end")
    counters = life.stat()
    equal((counters["overwritten"], counters["dropped"],
           counters["untracked"], counters["tracked"]), (0, 0, 0, 0),
          "counters", counters)
    equal(counters["recorded"], stage.seq, "recorded")


def fast_setup():
    """Fast Open both ways, without cookies."""
    try:
        sysctl("net/ipv4/tcp_fastopen", 0x1 | 0x2 | 0x4 | 0x200)
    except OSError as error:
        raise Skip("no Fast Open in this kernel") from error
