# SPDX-License-Identifier: GPL-2.0
"""Sessions with a ghost that end by packets: in order, out of order, by resets, with data
that nobody reads.
"""

import errno
import select
import socket

from lib.ghosts import (GHOSTLY, ghostly, accepted, connecting, connected, wanted_of,
                        error_of, our_names)
from lib.ktap import equal, until
from lib.life import ended, receive
from lib.wire import ACK, FIN, OURS, PSH, RST, SYN
from lib.world import listener

TCP = socket.IPPROTO_TCP
TCP_FIN_WAIT2 = 5


@ghostly("simultaneous open")
def _simultaneous_open(wire, family):
    client, ghost = connecting(wire, family)
    ghost.peer = ghost.expect(SYN).ports[1]
    ghost.send(SYN)
    ghost.expect(SYN | ACK)
    ghost.send(ACK)
    select.select([], [client], [])
    client.setblocking(True)
    client.sendall(b"x" * 40)
    ghost.expect(PSH)
    ghost.send(ACK, b"y" * 30)
    receive(client, 30)
    client.close()
    ghost.expect(FIN)
    ghost.send(FIN | ACK)
    yield wanted_of(our_names(ghost), ghost, "conn", "fin", 40, 30)


@ghostly("simultaneous close")
def _simultaneous_close(wire, family):
    client, ghost = connected(wire, family)
    client.sendall(b"x" * 40)
    ghost.expect(PSH)
    ghost.send(ACK)
    client.close()
    ours = ghost.ack
    ghost.expect(FIN)
    ghost.ack, theirs = ours, ghost.ack     # which is not yet acknowledged
    ghost.send(FIN | ACK)
    ghost.expect(ACK)
    ghost.ack = theirs
    ghost.send(ACK)
    yield wanted_of(our_names(ghost), ghost, "conn", "fin", 40, 0)


@ghostly("FIN with data, twice")
def _fin_with_data(wire, family):
    server, ghost = accepted(wire, family)
    before = ghost.seq
    ghost.send(ACK | PSH | FIN, b"y" * 100)
    receive(server, 100)
    ended(server)
    after, ghost.seq = ghost.seq, before
    ghost.send(ACK | PSH | FIN, b"y" * 100)
    ghost.seq = after
    server.close()
    ghost.expect(FIN)
    ghost.send(ACK)
    yield wanted_of(our_names(ghost), ghost, "acpt", "fin", 0, 100)


@ghostly("data twice and out of order")
def _out_of_order(wire, family):
    """What came twice counts once, what came too early not at all."""
    server, ghost = accepted(wire, family)
    start = ghost.seq
    ghost.send(ACK | PSH, b"y" * 100, start)
    ghost.send(ACK | PSH, b"y" * 100, start + 50)
    ghost.send(ACK | PSH, b"y" * 10, start + 20)
    ghost.send(ACK | PSH, b"y" * 100, start + 500)
    receive(server, 150)
    yield wanted_of(server, ghost, "acpt", "reset", 0, 150)
    ghost.seq = start + 150
    ghost.send(RST | ACK)
    equal(error_of(server), errno.ECONNRESET, "error")
    server.close()


@ghostly("sequence numbers that wrap")
def _wrap(wire, family):
    with listener(family, address=OURS[family]) as door:
        ghost = wire.ghost(family)
        ghost.seq = (1 << 32) - 100
        ghost.open(door.getsockname()[1])
        server = door.accept()[0]
    for _ in range(3):
        ghost.send(ACK | PSH, b"y" * 100)
    receive(server, 300)
    server.close()
    ghost.expect(FIN)
    ghost.send(FIN | ACK)
    yield wanted_of(our_names(ghost), ghost, "acpt", "fin", 0, 300)


@ghostly("part acknowledged, then reset")
def _part_acked(wire, family):
    client, ghost = connected(wire, family)
    yield wanted_of(client, ghost, "conn", "reset", 33, 0)
    client.sendall(b"x" * 100)
    ghost.expect(PSH)
    ghost.ack -= 67
    ghost.send(ACK)
    ghost.send(RST | ACK)
    equal(error_of(client), errno.ECONNRESET, "error")
    client.close()


def reset_orphan(state):
    """Closed with 100 bytes sent; reset when 100 + @state are acknowledged.

    The bytes are exact whether or not the FIN was acknowledged.
    """
    def play(wire, family):
        server, ghost = accepted(wire, family)
        server.sendall(b"x" * 100)
        ghost.expect(PSH)
        if "peer" in state:
            ghost.send(ACK | FIN)
            ended(server)
        else:
            ghost.send(ACK)
        acked = ghost.ack
        server.close()
        ghost.expect(FIN)
        if state == "nothing":
            ghost.ack = acked
        ghost.send(RST, seq=ghost.seq)
        yield wanted_of(our_names(ghost), ghost, "acpt", "reset",
                        100, 0)
    return play


GHOSTLY["reset in FIN_WAIT1"] = reset_orphan("nothing")
GHOSTLY["reset in LAST_ACK"] = reset_orphan("peer")


def data_after_close(shut, between, acknowledged):
    """This side resets it: there is nobody to read what came.

    It is close() that matters, though with @shut the FIN was there before it, and
    not the data that came @between the two and was read. The FIN may be
    @acknowledged by what comes at last.
    """
    def play(wire, family):
        server, ghost = accepted(wire, family)
        before = ghost.ack
        if shut:
            server.shutdown(socket.SHUT_WR)
        else:
            server.close()
        ghost.expect(FIN)
        after, ghost.ack = ghost.ack, before
        if between:
            ghost.send(ACK | PSH, b"y" * between)
            receive(server, between)
        if shut:
            server.close()
        if acknowledged:
            ghost.ack = after
        ghost.send(ACK | PSH, b"y" * 10)
        ghost.expect(RST)
        yield wanted_of(our_names(ghost), ghost, "acpt", "abort", 0,
                        between)
    return play


GHOSTLY["data for who has closed"] = data_after_close(False, 0, False)
GHOSTLY["data with the last ACK"] = data_after_close(False, 0, True)
GHOSTLY["shut down for writing, closed, then data"] = \
    data_after_close(True, 0, False)
GHOSTLY["shut down for writing, closed, then data with the last ACK"] = \
    data_after_close(True, 0, True)
GHOSTLY["shut down for writing, data, closed, then data"] = \
    data_after_close(True, 10, False)
GHOSTLY["shut down for writing, data, closed, then data with the last ACK"] = \
    data_after_close(True, 10, True)


@ghostly("shut down for writing, data out of order, closed")
def _data_out_of_order(wire, family):
    """It acknowledges the FIN, and is not in the way of an end in order."""
    server, ghost = accepted(wire, family)
    server.shutdown(socket.SHUT_WR)
    ghost.expect(FIN)
    ghost.send(ACK | PSH, b"y" * 10, seq=ghost.seq + 100)
    until(lambda: server.getsockopt(TCP, socket.TCP_INFO, 1)[0] == TCP_FIN_WAIT2,
          "FIN_WAIT2")
    scene = wanted_of(our_names(ghost), ghost, "acpt", "fin", 0, 0)
    server.close()
    yield scene


def old_data(last):
    """A late copy of data that has been read comes after close()."""
    def play(wire, family):
        server, ghost = accepted(wire, family)
        ghost.send(ACK | PSH, b"y" * 20)
        receive(server, 20)
        before = ghost.ack
        server.close()
        ghost.expect(FIN)
        after, ghost.ack = ghost.ack, before
        ghost.send(ACK | PSH, b"y" * 20, seq=ghost.seq - 20)
        ghost.ack = after
        ghost.send(last)
        yield wanted_of(our_names(ghost), ghost, "acpt", "fin", 0, 20)
    return play


GHOSTLY["old data again, then the last ACK"] = old_data(ACK)
GHOSTLY["old data again, then the peer's FIN"] = old_data(ACK | FIN)


@ghostly("shut down both ways, then data")
def _data_after_shutdown(wire, family):
    server, ghost = accepted(wire, family)
    ghost.send(ACK | PSH, b"y" * 20)
    receive(server, 20)
    server.shutdown(socket.SHUT_RDWR)
    before = ghost.ack
    ghost.expect(FIN)
    ghost.ack = before
    yield wanted_of(server, ghost, "acpt", "abort", 0, 20)
    ghost.send(ACK | PSH, b"y" * 10)
    ghost.expect(RST)
    server.close()


@ghostly("reset in FIN_WAIT1, after data")
def _reset_after_data(wire, family):
    """The data was read before it was closed: the peer's reset it is."""
    server, ghost = accepted(wire, family)
    ghost.send(ACK | PSH, b"y" * 20)
    receive(server, 20)
    before = ghost.ack
    server.close()
    ghost.expect(FIN)
    ghost.ack = before
    ghost.send(RST | ACK)
    yield wanted_of(our_names(ghost), ghost, "acpt", "reset", 0, 20)


@ghostly("data for who has shut down for writing only")
def _data_half_closed(wire, family):
    """That is no reset: it is read."""
    server, ghost = accepted(wire, family)
    server.shutdown(socket.SHUT_WR)
    ghost.expect(FIN)
    ghost.send(ACK | PSH, b"y" * 20)
    receive(server, 20)
    yield wanted_of(server, ghost, "acpt", "fin", 0, 20)
    ghost.send(ACK | FIN)
    ended(server)
    server.close()
