# SPDX-License-Identifier: GPL-2.0
"""Each mark of Diag: provoked by the real thing, gone when its cause is gone.

    near                                     far
      10.77.0.1/24 ---- veth  veth ---- 10.77.0.2/24
      fd77::1/64                          fd77::2/64

and, for the states that a mark is shown in, the ghosts of lib/wire.py.
"""

import contextlib
import select
import socket

from lib import tables
from lib.ktap import cases, check, equal, test, until
from lib.tables import row_of
from lib.wire import ACK, FIN, OURS, Wire
from lib.world import Netns, connect, ip, join, listener, pair

INET, INET6 = socket.AF_INET, socket.AF_INET6
NEAR = {INET: "10.77.0.1", INET6: "fd77::1"}
FAR = {INET: "10.77.0.2", INET6: "fd77::2"}
TABLE = {INET: "tcpstat", INET6: "tcp6stat"}


class World:
    """Two namespaces and the link between them."""

    def __init__(self):
        self.near, self.far = Netns(), Netns()
        join(self.near, self.far, (("10.77.0.1/24", "fd77::1/64"),
                                   ("10.77.0.2/24", "fd77::2/64")))

    def connection(self, family=INET, setup=None):
        """A connection from near to far: its near end and its far end."""
        def small(sock):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            if setup:
                setup(sock)
        with self.far:
            door = listener(family, address=FAR[family], setup=small)
        with door:
            with self.near:
                one = connect(door, address=FAR[family], setup=small)
            other = door.accept()[0]
        one.setblocking(False)
        other.setblocking(False)
        return one, other

    @contextlib.contextmanager
    def link_down(self):
        """Cut the link by taking its far end down."""
        with self.far:
            ip("link set veth down")
        yield
        with self.far:
            ip("link set veth up")

    def marks(self, sock, netns=None):
        """The marks on @sock's row."""
        with netns or self.near:
            return row_of(sock, TABLE[sock.family]).diag

    def shows(self, netns, sock, marks):
        """Wait until @sock's row has exactly these @marks."""
        seen = []

        def matches():
            seen[:] = self.marks(sock, netns)
            return seen == list(marks)
        until(matches, lambda: f"Diag {marks}, it is {seen}")


def stuff(sock):
    """Send until the kernel takes no more."""
    with contextlib.suppress(BlockingIOError):
        while sock.send(b"x" * 4096):
            pass


def swallow(sock):
    """Read all there is."""
    with contextlib.suppress(BlockingIOError):
        while sock.recv(65536):
            pass


def in_state(sock, stat):
    """Wait for @sock's row to have this Stat, and return it."""
    return until(lambda: (row := row_of(sock, "tcpstat")).stat == stat and row,
                 stat)


@test
def nothing_wrong():
    """No mark on a healthy connection, idle or not, nor on its listener."""
    world = World()
    for family in INET, INET6:
        one, other = world.connection(family)
        world.shows(world.near, one, ())
        one.send(b"some data")
        until(lambda: select.select([other], [], [], 0)[0], "the data")
        world.shows(world.near, one, ())
        world.shows(world.far, other, ())


@test
def peer_does_not_read():
    """>| for who sends, |< for who doesn't read, until it reads."""
    world = World()
    for family in INET, INET6:
        one, other = world.connection(family)

        def stuffed():
            stuff(one)      # whenever the peer's kernel took some more
            return (world.marks(one) == (">|",) and
                    world.marks(other, world.far) == ("|<",))
        until(stuffed, lambda: (world.marks(one),
                                world.marks(other, world.far)))

        def drained():
            swallow(other)
            return world.marks(one) == world.marks(other, world.far) == ()
        until(drained, lambda: (world.marks(one),
                                world.marks(other, world.far)))


@test
def neither_reads():
    """>|< on both ends; one of them reads, and it is > | and | < again."""
    world = World()
    one, other = world.connection()

    def stuffed():
        stuff(one)
        stuff(other)
        return (world.marks(one) == (">|<",) and
                world.marks(other, world.far) == (">|<",))
    until(stuffed, lambda: (world.marks(one), world.marks(other, world.far)))

    def half_drained():
        swallow(other)
        return (world.marks(one) == ("|<",) and
                world.marks(other, world.far) == (">|",))
    until(half_drained, lambda: (world.marks(one),
                                 world.marks(other, world.far)))


@test
def link_cut_with_data():
    """>R and ># while what we sent can't get through."""
    world = World()
    one, other = world.connection()
    with world.link_down():
        one.send(b"never arrives")
        until(lambda: ">R" in world.marks(one), ">R")
        world.shows(world.near, one, (">#", ">R"))
    world.shows(world.near, one, ())
    equal(other.recv(100), b"never arrives", "arrived in the end")


@test
def link_cut_without_data():
    """Nothing is wrong with a connection that has nothing to send."""
    world = World()
    one, other = world.connection()
    busy, _ = world.connection()
    with world.link_down():
        busy.send(b"never arrives")
        world.shows(world.near, busy, (">#", ">R"))
        equal(world.marks(one), (), "idle")
        equal(world.marks(other, world.far), (), "idle")


@test
def connecting_to_nobody():
    """>R once a SYN has been sent again."""
    world = World()
    with world.near, socket.socket() as sock:
        ip("neigh add 10.77.0.99 lladdr 2:0:0:0:0:99 dev veth nud permanent")
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.connect(("10.77.0.99", 7))
        row = row_of(sock, "tcpstat")
        equal((row.stat, row.diag), ("SYNS", ()), "at first")
        world.shows(world.near, sock, (">R",))


@test
def keepalive_unanswered():
    """K? while probes go unanswered; not on its twin that doesn't probe."""
    def probing(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, what in ((socket.TCP_KEEPIDLE, 1),
                             (socket.TCP_KEEPINTVL, 1),
                             (socket.TCP_KEEPCNT, 100)):
            sock.setsockopt(socket.SOL_TCP, option, what)

    world = World()
    one, other = world.connection(setup=probing)
    quiet, _ = world.connection()
    equal(world.marks(one), (), "at first")
    with world.link_down():
        world.shows(world.near, one, ("K?",))
        equal(world.marks(quiet), (), "without keepalive")
    world.shows(world.near, one, ())
    world.shows(world.far, other, ())


@test
def accept_queue_full():
    """!A while the queue is fuller than the program asked for."""
    with Netns():
        for family in INET, INET6:
            for backlog in 0, 3:
                with listener(family, backlog) as door:
                    table = TABLE[family]
                    clients = []
                    for number in range(backlog + 1):
                        equal(row_of(door, table).diag, (),
                              f"{number} of {backlog} wait")
                        clients.append(connect(door))
                        until(lambda d=door, t=table, n=number:
                              row_of(d, t).recvq == n + 1, "one more")
                    equal(row_of(door, table).diag, ("!A",), "full")
                    door.accept()[0].close()
                    equal(row_of(door, table).diag, (), "one was accepted")
                    for client in clients:
                        client.close()


# What a window of 0 is a trouble in: the states in which there may be more to
# send, or to receive. Each line is a state, how to come there from a connection
# whose windows are both 0, and the marks it has then.

def shut(sock, _):
    """We have no more to send."""
    sock.shutdown(socket.SHUT_WR)


def peer_shut(sock, ghost):
    """The ghost has no more to send."""
    ghost.send(ACK, b"x")
    ghost.send(FIN | ACK)
    until(lambda: len(sock.recv(2, socket.MSG_PEEK)) == 1, "the ghost's byte")


NO_WINDOW_STATES = {
    "ESTB": ((), (">|",)),
    "FNW1": ((shut,), (">|",)),
    "CLSW": ((peer_shut,), (">|",)),
    "LACK": ((peer_shut, shut), (">|",)),
    "CLSG": ((shut, peer_shut), (">|",)),
}


@test
def window_of_the_peer_by_state():
    """>| in every state in which we may still have something to send."""
    netns = Netns()
    wire = Wire(netns)

    def one(stat):
        steps, marks = NO_WINDOW_STATES[stat]
        door = listener(INET, address=OURS[INET])
        ghost = wire.ghost(INET)
        ghost.window = 0
        ghost.open(door.getsockname()[1])
        sock = door.accept()[0]
        for step in steps:
            step(sock, ghost)
        row = in_state(sock, stat)
        equal(row.diag, marks, row.line)

    with netns:
        cases(NO_WINDOW_STATES, one)


@test
def window_of_the_peer_no_more():
    """No >| in FIN_WAIT2: all we had to send is there."""
    netns = Netns()
    wire = Wire(netns)
    with netns:
        door = listener(INET, address=OURS[INET])
        ghost = wire.ghost(INET).open(door.getsockname()[1])
        sock = door.accept()[0]
        sock.shutdown(socket.SHUT_WR)
        ghost.expect(FIN)
        ghost.window = 0
        ghost.send(ACK)
        row = in_state(sock, "FNW2")
        equal(row.diag, (), row.line)


@test
def our_window_by_state():
    """|< in every state in which the peer may still send."""
    def fin_wait1(sock, ghost):
        sock.shutdown(socket.SHUT_WR)
        ghost.expect(FIN)

    def fin_wait2(sock, ghost):
        fin_wait1(sock, ghost)
        ghost.send(ACK)

    wanted = {"ESTB": None, "FNW1": fin_wait1, "FNW2": fin_wait2}
    netns = Netns()
    wire = Wire(netns)

    def one(stat):
        door = listener(INET, address=OURS[INET], setup=lambda sock:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                        8192))
        ghost = wire.ghost(INET).open(door.getsockname()[1])
        sock = door.accept()[0]
        ghost.fill()
        if wanted[stat]:
            wanted[stat](sock, ghost)
        row = in_state(sock, stat)
        check("|<" in row.diag, "no |< in", row.line)

    with netns:
        cases(wanted, one)


@test
def our_window_no_more():
    """No |< in CLOSE_WAIT: the peer has no more to send."""
    netns = Netns()
    wire = Wire(netns)
    with netns:
        door = listener(INET, address=OURS[INET], setup=lambda sock:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                        8192))
        ghost = wire.ghost(INET).open(door.getsockname()[1])
        sock = door.accept()[0]
        ghost.fill(fin=True)
        row = in_state(sock, "CLSW")
        check("|<" not in row.diag, row.line)


@test
def entries_have_none():
    """TIME_WAIT and SYN_RECV entries are no sockets: nothing to tell."""
    netns = Netns()
    wire = Wire(netns)
    with netns:
        door = listener(INET, address=OURS[INET])
        ghost = wire.ghost(INET)
        ghost.window = 0
        ghost.knock(door.getsockname()[1])
        one, other = pair(INET)
        one.close()
        other.close()
        rows = until(lambda: {row.stat: row for row in tables.read("tcpstat")}
                     if {"TIMW", "SYNR"} <= {row.stat for row in
                                             tables.read("tcpstat")} else None,
                     "TIME_WAIT and SYN_RECV")
        for stat in "TIMW", "SYNR":
            equal((rows[stat].diag, rows[stat].options), ((), None),
                  rows[stat].line)
