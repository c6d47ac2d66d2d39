# SPDX-License-Identifier: GPL-2.0
"""Sessions with a ghost that falls silent.
"""

import errno
import socket
import struct

from lib.ghosts import (ghostly, accepted, connecting, connected, wanted_of,
                        error_of, our_names, soon)
from lib.ktap import equal, until
from lib.life import ended, receive
from lib.wire import ACK, FIN, PSH

TCP = socket.IPPROTO_TCP


@ghostly("timeout: data")
def _timeout_data(wire, family):
    client, ghost = connected(wire, family, soon)
    client.sendall(b"x" * 100)
    yield wanted_of(client, ghost, "conn", "timeout", 0, 0, retx=1)
    equal(error_of(client), errno.ETIMEDOUT, "error")
    client.close()


@ghostly("timeout: data, who accepted")
def _timeout_accepted(wire, family):
    server, ghost = accepted(wire, family, soon)
    server.sendall(b"x" * 100)
    ghost.expect(PSH)
    ghost.send(ACK)
    server.sendall(b"x" * 100)
    yield wanted_of(server, ghost, "acpt", "timeout", 100, 0, by="accept",
                    retx=1)
    equal(error_of(server), errno.ETIMEDOUT, "error")
    server.close()


@ghostly("timeout: SYN")
def _timeout_syn(wire, family):
    client, ghost = connecting(wire, family, soon)
    yield wanted_of(client, ghost, "conn", "timeout", established=False,
                    retx=1)
    equal(error_of(client), errno.ETIMEDOUT, "error")
    client.close()


@ghostly("timeout: FIN")
def _timeout_fin(wire, family):
    client, ghost = connected(wire, family, soon)
    client.close()
    yield wanted_of(our_names(ghost), ghost, "conn", "timeout",
                    retx=1)


@ghostly("timeout: the last ACK")
def _timeout_last_ack(wire, family):
    server, ghost = accepted(wire, family, soon)
    ghost.send(ACK | PSH | FIN, b"y" * 5)
    receive(server, 5)
    ended(server)
    server.close()
    yield wanted_of(our_names(ghost), ghost, "acpt", "timeout", 0,
                    5, retx=1)


@ghostly("timeout: a window of 0")
def _timeout_window(wire, family):
    client, ghost = connected(wire, family, soon)
    client.sendall(b"x" * 100)
    ghost.expect(PSH)
    ghost.window = 0
    ghost.send(ACK)
    until(lambda: not _window(client), "the window of 0")
    client.sendall(b"x" * 100)
    yield wanted_of(client, ghost, "conn", "timeout", 100, 0)
    equal(error_of(client), errno.ETIMEDOUT, "error")
    client.close()


def _window(sock):
    """tcpi_unacked: what is in flight."""
    info = sock.getsockopt(TCP, socket.TCP_INFO, 104)
    return struct.unpack_from("=I", info, 24)[0]


@ghostly("timeout: keepalive")
def _timeout_keepalive(wire, family):
    client, ghost = connected(wire, family)
    client.setsockopt(TCP, socket.TCP_KEEPINTVL, 1)
    client.setsockopt(TCP, socket.TCP_KEEPCNT, 1)
    client.setsockopt(TCP, socket.TCP_KEEPIDLE, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    yield wanted_of(client, ghost, "conn", "timeout")
    equal(error_of(client), errno.ETIMEDOUT, "error")
    client.close()
