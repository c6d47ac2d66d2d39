# SPDX-License-Identifier: GPL-2.0
"""Sessions with a ghost: scenes whose other end is packets that the test makes up (see
wire.py), which brings a session into states that two well-behaved kernels seldom bring
it into."""

import errno
import select
import socket

from lib.ktap import equal, until
from lib.life import want
from lib.wire import OURS
from lib.world import listener

TCP = socket.IPPROTO_TCP
TCP_USER_TIMEOUT = 18


# name: function(scene, wire, family), a generator: it has begun at its first
# yield, so that all who have to wait for a timer wait at the same time
GHOSTLY = {}


def ghostly(name):
    """Mark a scene that has a ghost for its other end."""
    def mark(function):
        GHOSTLY[name] = function
        return function
    return mark


def accepted(wire, family, setup=None):
    """A connection that a ghost made: the listener's end, and the ghost."""
    with listener(family, address=OURS[family]) as door:
        ghost = wire.ghost(family).open(door.getsockname()[1])
        server = door.accept()[0]
        if setup:
            setup(server)
        return server, ghost


def connecting(wire, family, setup=None):
    """A connection to a ghost that hasn't answered yet."""
    ghost = wire.ghost(family)
    client = socket.socket(family, socket.SOCK_STREAM)
    if setup:
        setup(client)
    client.setblocking(False)
    equal(client.connect_ex((ghost.address, ghost.port)), errno.EINPROGRESS,
          "connect")
    return client, ghost


def connected(wire, family, setup=None):
    """A connection to a ghost."""
    client, ghost = connecting(wire, family, setup)
    ghost.answer()
    select.select([], [client], [])
    client.setblocking(True)
    return client, ghost


def wanted_of(sock, ghost, role, end, tx=0, rx=0, **more):
    """A Want of a session with @ghost."""
    return want(sock, role, end, tx, rx, local=sock.getsockname()[:2],
                remote=(ghost.address, ghost.port), **more)


def error_of(sock):
    """Wait for an error of @sock and return it."""
    return until(lambda: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
                 "an error")


class Names:
    """What is left of a socket when it is closed."""

    def __init__(self, local, remote):
        self.local, self.remote = local, remote

    def getsockname(self):
        """As a socket's."""
        return self.local

    def getpeername(self):
        """As a socket's."""
        return self.remote


def our_names(ghost):
    """The Names of our end of a session with a ghost, open or not."""
    local = (OURS[ghost.family], ghost.peer)
    return Names(local, (ghost.address, ghost.port))


def soon(sock):
    """Give up soon."""
    sock.setsockopt(TCP, TCP_USER_TIMEOUT, 200)
