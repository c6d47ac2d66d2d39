# SPDX-License-Identifier: GPL-2.0
"""Each table agrees with the kernel's own file, row by row in order.

    a namespace under test                          nowhere
      lo: both ends of most connections
      wire 10.66.0.1/16, fd66::1/64  ---- veth ----  ghosts

The ghosts (lib/wire.py) are peers that stop answering at will, so that there
are connections in every state of TCP, and they stay in it while we look.
"""

import collections
import contextlib
import errno
import os
import select
import socket
import struct
import subprocess

from lib import tables
from lib.ktap import Skip, cases, check, equal, note, scaled, test, until
from lib.tables import TABLES, agree
from lib.wire import ACK, FIN, OURS, SYN, Wire
from lib.world import (IPPROTO_MPTCP, PLAIN_USER, Netns, connect,
                       listener, pair, sysctl, udp, user)

INET, INET6 = socket.AF_INET, socket.AF_INET6
IPPROTO_UDPLITE = 136
SO_MEMINFO, MEMINFO_DROPS = 55, 8
IPV6_FREEBIND = 78


# One connection in each state. The kernel's end of each is kept in `kept` as
# long as it is to be there; those that have been closed live on by themselves.

def syn_sent(wire, family, _, kept):
    """We connect, nobody answers."""
    sock = socket.socket(family)
    sock.setblocking(False)
    kept.append(sock)
    with contextlib.suppress(BlockingIOError):
        sock.connect((wire.ghost(family).address, 7))


def syn_recv(wire, family, port, _):
    """A ghost knocks and doesn't answer our SYN-ACK."""
    wire.ghost(family).knock(port)


def established(wire, family, port, kept):
    """A ghost connects, and its connection is accepted."""
    ghost = wire.ghost(family).open(port)
    kept.append(accept(kept))
    return ghost


def unaccepted(wire, family, port, _):
    """A ghost connects, and nobody accepts it."""
    return wire.ghost(family).open(port)


def fin_wait1(wire, family, port, kept):
    """We close; the ghost is silent."""
    ghost = established(wire, family, port, kept)
    kept.pop().close()
    ghost.expect(FIN)
    return ghost


def fin_wait2_socket(wire, family, port, kept):
    """We shut down, the ghost acknowledges, and the socket is still held."""
    ghost = established(wire, family, port, kept)
    kept[-1].shutdown(socket.SHUT_WR)
    ghost.expect(FIN)
    ghost.send(ACK)


def fin_wait2_entry(wire, family, port, kept):
    """We close, the ghost acknowledges: only a TIME_WAIT entry is left."""
    fin_wait1(wire, family, port, kept).send(ACK)


def time_wait(wire, family, port, kept):
    """Both close, we first."""
    fin_wait1(wire, family, port, kept).send(FIN | ACK)


def closing(wire, family, port, kept):
    """Both close, and the ghost hasn't seen our FIN."""
    ghost = fin_wait1(wire, family, port, kept)
    ghost.ack -= 1
    ghost.send(FIN | ACK)


def close_wait(wire, family, port, kept):
    """The ghost closes; we don't."""
    established(wire, family, port, kept).send(FIN | ACK)


def last_ack(wire, family, port, kept):
    """The ghost closes, then we; the ghost is silent."""
    ghost = established(wire, family, port, kept)
    ghost.send(FIN | ACK)
    until(lambda: select.select([kept[-1]], [], [], 0)[0], "the ghost's FIN")
    kept.pop().close()
    ghost.expect(FIN)


def accept(kept):
    """Accept from the listener, which is the first thing kept."""
    return kept[0].accept()[0]


STATES = {
    "SYNS": syn_sent, "SYNR": syn_recv, "ESTB": established,
    "FNW1": fin_wait1, "FNW2": fin_wait2_socket, "FNW2 entry": fin_wait2_entry,
    "TIMW": time_wait, "CLSG": closing, "CLSW": close_wait, "LACK": last_ack,
    "ESTB unaccepted": unaccepted,      # the last, or another would accept it
}
ALL_STATES = {name.split()[0] for name in STATES} | {"LSTN"}


def every_state(wire, family, door):
    """A connection in each state through the listener @door."""
    kept = [door]
    port = door.getsockname()[1]
    for build in STATES.values():
        build(wire, family, port, kept)
    return kept


def fast_open(wire, kept):
    """SYN_RECV that is a socket: data came with the SYN (TCP Fast Open)."""
    was = sysctl("net/ipv4/tcp_fastopen")
    sysctl("net/ipv4/tcp_fastopen", 0x203)  # a client's cookie is not needed
    try:
        door = listener(INET, address=OURS[INET], setup=lambda sock:
                        sock.setsockopt(socket.SOL_TCP, socket.TCP_FASTOPEN, 5))
        kept.append(door)
        ghost = wire.ghost(INET).knock(door.getsockname()[1], b"early data")
        ghost.expect(SYN | ACK)
    finally:
        sysctl("net/ipv4/tcp_fastopen", was)


def mixed_sockets(kept):
    """Sockets of every kind but state: families, groups, users, queues."""
    def only6(sock):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)

    def both(sock):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)

    def grouped(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)

    for family in INET, INET6:
        any_address = "0.0.0.0" if family == INET else "::"
        kept += [listener(family), listener(family, address=any_address)]
        kept += pair(family)
        kept += waiting_data(*pair(family))
        kept += unsent_data(*pair(family))

        first = listener(family, setup=grouped)
        kept += [first] + [listener(family, setup=grouped,
                                    port=first.getsockname()[1])
                           for _ in range(4)]
        first = udp(family, setup=grouped)
        kept += [first] + [udp(family, setup=grouped,
                               port=first.getsockname()[1]) for _ in range(4)]

        server = udp(family)
        client = udp(family, connected_to=server)
        client.send(b"one datagram")
        kept += [server, client, udp(family, address=any_address)]
        kept += [corked(family), full(family), half_read(family)]

        with user(PLAIN_USER):
            kept += [listener(family), udp(family)]
            kept += pair(family)
        with user(4294967294 - 1):
            kept += [listener(family), udp(family)]
        with user(PLAIN_USER + 1):
            orphan, other = pair(family)    # its UID as the kernel shows it
            orphan.send(b"unread")
            kept.append(other)
            orphan.close()

    kept += [listener(INET6, setup=only6), udp(INET6, setup=only6)]
    kept += [udp(INET6, address="::ffff:127.0.0.1")]
    dual = listener(INET6, address="::", setup=both)
    mapped = connect(dual, address="127.0.0.1", family=INET)
    kept += [dual, mapped, dual.accept()[0]]
    mapped = connect(dual, address="::ffff:127.0.0.1", family=INET6)
    kept += [mapped, dual.accept()[0]]
    kept += other_protocols()


def waiting_data(client, server):
    """A connection with data that @server hasn't read."""
    client.send(b"x" * 5000)
    until(lambda: len(server.recv(5000, socket.MSG_PEEK)) == 5000, "5000 bytes")
    return [client, server]


def unsent_data(client, server):
    """A connection with data that @server's kernel has no more room for."""
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while client.send(b"x" * 65536):
            pass
    return [client, server]


def corked(family):
    """A UDP socket with something in its send queue."""
    server = udp(family)
    client = udp(family, connected_to=server)
    client.send(b"x" * 700, socket.MSG_MORE)
    server.close()
    return client


def full(family):
    """A UDP socket that dropped datagrams because its queue was full."""
    server = udp(family, setup=lambda sock: sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_RCVBUF, 2048))
    with udp(family, connected_to=server) as client:
        for _ in range(20):
            client.send(b"x" * 500)
    return server


def half_read(family):
    """A UDP socket that was read from: what it gives back of its memory, it
    gives back in bulk, and Recv-Q has to know."""
    server = udp(family)
    with udp(family, connected_to=server) as client:
        for _ in range(4):
            client.send(b"x" * 300)
    server.recv(300)
    return server


def other_protocols():
    """What shares the tables (MPTCP's subflows) or almost does (UDP-Lite)."""
    kept = []
    try:
        door = listener(INET, proto=IPPROTO_MPTCP)
        client = connect(door, proto=IPPROTO_MPTCP)
        kept += [door, client, door.accept()[0]]
        client.send(b"over a subflow")
    except OSError as error:
        note(f"no MPTCP: {error}")
    try:
        sock = socket.socket(INET, socket.SOCK_DGRAM, IPPROTO_UDPLITE)
        sock.bind(("127.0.0.1", 0))
        kept.append(sock)
    except OSError as error:
        note(f"no UDP-Lite: {error}")
    return kept


def grown(wire):
    """Everything there is, in the current namespace; what keeps it alive."""
    kept = []
    mixed_sockets(kept)
    for family in INET, INET6:
        with user(PLAIN_USER):
            door = listener(family, address=OURS[family])
        kept += every_state(wire, family, door)
    dual = listener(INET6, address="::")
    kept += every_state(wire, INET, dual)
    fast_open(wire, kept)
    return kept


def agree_on_everything():
    """All four tables agree, and every state was there to agree on."""
    for table in TABLES:
        ours, _ = agree(table)
        stats = {row.stat for row in ours}
        equal(sorted(stats), sorted(ALL_STATES if table.startswith("tcp")
                                    else {"ESTB", "UNCN"}), table, "states")
        if table == "tcp6stat":     # v4-mapped ones in every state but LISTEN
            mapped = {row.stat for row in ours if "::ffff:" in row.local or
                      "::ffff:" in row.foreign}
            check(ALL_STATES - {"LSTN", "SYNS"} <= mapped, "v4-mapped", mapped)
        if table == "tcpstat":
            full = [row for row in ours
                    if row.stat == "SYNR" and row.options]
            equal([(row.recvq, row.inode) for row in full],
                  [(len(b"early data"), 0)], "a Fast Open child in SYN_RECV")
        if table.startswith("udp"):
            check(any(row.drops for row in ours), "drops in", table)
            check(any(row.recvq for row in ours), "a Recv-Q in", table)
            check(any(row.sendq for row in ours), "a Send-Q in", table)
        if table.startswith("tcp"):
            equal({row.uid for row in ours if row.stat == "SYNR" and
                   not row.options} - {0}, {PLAIN_USER}, "UIDs of requests")
        uids = {row.uid for row in ours}
        check({0, PLAIN_USER, 4294967294 - 1} <= uids, "UIDs", uids)


@test
def init_namespace():
    """The namespace that was there before the module."""
    here = Here()
    wire = Wire(here)
    kept = grown(wire)
    agree_on_everything()
    listeners_agree_with_ss()
    wire.close()
    del kept


class Here:
    """The current namespace, as something to be entered."""
    path = f"/proc/{os.getpid()}/ns/net"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@test
def several_namespaces():
    """Three at once: each shows its own sockets and nobody else's."""
    worlds = []
    for number in range(scaled(3, 2, long=10)):
        netns = Netns()
        wire = Wire(netns)
        with netns:
            worlds.append((netns, grown(wire) + [udp(INET)
                                                 for _ in range(number)]))
    seen = set()
    for netns, kept in worlds:
        with netns:
            agree_on_everything()
            inodes = {row.inode for table in TABLES
                      for row in tables.read(table)} - {0}
        # an MPTCP socket's descriptor is not in the table, its subflows are
        own = {os.fstat(sock.fileno()).st_ino for sock in kept
               if sock.proto not in (IPPROTO_MPTCP, IPPROTO_UDPLITE)}
        check(own <= inodes, "sockets not shown", own - inodes)
        check(not seen & inodes, "sockets of another namespace shown")
        seen |= inodes


@test
def empty_namespace():
    """A header, and the end."""
    with Netns():
        for table in TABLES:
            ours, _ = agree(table)
            equal(ours, [], table)


def listeners_agree_with_ss():
    """A listener's queues are those that `ss -ltn` shows."""
    said = subprocess.run(["ss", "-Hltne"], capture_output=True, text=True,
                          check=True).stdout
    theirs = {}
    for line in said.splitlines():
        fields = line.split()
        inode = [int(field[4:]) for field in fields if field.startswith("ino:")]
        if inode:
            theirs[inode[0]] = (int(fields[1]), int(fields[2]))
    ours = {row.inode: (row.recvq, row.sendq)
            for table in ("tcpstat", "tcp6stat") for row in tables.read(table)
            if row.stat == "LSTN"}
    equal(ours, theirs, "listeners' queues (ours, ss's)")


@test
def listener_queues():
    """As ss shows them: how many wait to be accepted, how many may."""
    with Netns():
        kept = []
        for family in INET, INET6:
            for backlog, waiting in ((0, 0), (1, 2), (5, 3), (4096, 0)):
                door = listener(family, backlog)
                kept += [door] + [connect(door) for _ in range(waiting)]
                table = "tcpstat" if family == INET else "tcp6stat"
                row = until(lambda d=door, t=table, w=waiting:
                            (r := tables.row_of(d, t)).recvq == w and r,
                            f"{waiting} waiting connections")
                equal((row.recvq, row.sendq), (waiting, backlog),
                      f"backlog {backlog}")
        listeners_agree_with_ss()


@test
def drops_of_a_listener():
    """A listener counts the SYNs it had no room for; the kernel's file hasn't
    that column, getsockopt(SO_MEMINFO) has the number."""
    netns = Netns()
    wire = Wire(netns)
    with netns:
        door = listener(INET, 0, address=OURS[INET])
        port = door.getsockname()[1]
        wire.ghost(INET).open(port)         # fills the queue
        until(lambda: tables.row_of(door, "tcpstat").recvq == 1, "a full queue")
        for _ in range(3):
            wire.ghost(INET).knock(port)

        def dropped():
            data = door.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
            return struct.unpack("9I", data)[MEMINFO_DROPS]
        until(lambda: dropped() == 3, lambda: f"3 drops, only {dropped()}")
        equal(tables.row_of(door, "tcpstat").drops, 3, "Drops")


ADDRESSES = (
    "::", "::1", "1::", "::1:0:0:0", "1:0:0:2::3", "1:0:0:2:0:0:0:3",
    "1:0:2:0:3:0:4:0", "0:1:0:2:0:3:0:4", "0:0:1::", "::2:1", "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8", "2001:db8:0:1:1:1:1:1", "2001:db8::1:0:0:1",
    "1111:2222:3333:4444:5555:6666:7777:8888", "a:b:c:d:e:f:10:100",
    "::1.2.3.4", "::ffff:1.2.3.4", "::ffff:0.0.0.0", "::ffff:255.255.255.255",
    "::fffe:1.2.3.4", "::ffff:0:1.2.3.4", "2001:db8::5efe:1.2.3.4",
    "2001:db8::200:5efe:1.2.3.4", "2001:db8:1:2::5efe:1.2.3.4",
    "2001:db8:1:2:300:5efe:102:304", "64:ff9b::1.2.3.4",
)


@test
def addresses():
    """%pI6c of every awkward address, which inet_ntop(3) writes differently."""
    def one(address):
        with udp(INET6, address=address, setup=anywhere) as sock:
            row = tables.row_of(sock, "udp6stat")
            equal(row.local, tables.endpoint(
                socket.inet_pton(INET6, address), sock.getsockname()[1]))
            equal(row.foreign, ":::*", "foreign")

    def anywhere(sock):
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)

    with Netns():
        cases(ADDRESSES, one)
        agree("udp6stat")


@test
def ipv4_addresses():
    """%pI4, with ports of every length."""
    def one(case):
        address, port = case.split(":")
        try:
            sock = udp(INET, address=address, setup=anywhere, port=int(port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Skip(error) from error
            raise
        with sock:
            row = tables.row_of(sock, "udpstat")
            equal(row.local, case, "local")
            equal(row.foreign, "0.0.0.0:*", "foreign")

    def anywhere(sock):
        sock.setsockopt(socket.IPPROTO_IP, 15, 1)       # IP_FREEBIND

    with Netns():       # of our own, so that any port is free
        cases([f"{address}:{port}"
               for address in ("1.2.3.4", "10.20.30.40", "203.0.113.255",
                               "99.100.9.10")
               for port in (1, 22, 443, 8080, 65535)], one)


@test
def many_users():
    """UIDs of every length, more of them than anyone would remember."""
    uids = [*range(0, 70), *(1000 + 64 * n for n in range(40)),
            *(10 ** n for n in range(10)), 65534, (1 << 31) - 1, 1 << 31,
            (1 << 32) - 2]
    with Netns():
        kept = {}
        for uid in uids * 2:
            with user(uid):
                sock = udp(INET)
            kept[os.fstat(sock.fileno()).st_ino] = (uid, sock)
        agree("udpstat")
        equal({row.inode: row.uid for row in tables.read("udpstat")},
              {inode: uid for inode, (uid, _) in kept.items()}, "UIDs")


@test
def columns_line_up():
    """Numbers end, and texts begin, where their headings do, on every line."""
    netns = Netns()
    wire = Wire(netns)
    with netns:
        kept = grown(wire)
        for table in TABLES:
            text = tables.slurp(f"/proc/net/{table}").decode("ascii")
            check("\t" not in text, "a tab in", table)
            lines = text.splitlines()
            spans = [spans_of(line) for line in lines]
            for line, found in zip(lines, spans):
                equal(len(found), len(tables.COLUMNS), "fields of", repr(line))
                check(line == line.rstrip(), "trailing blanks", repr(line))
            # a number that is too long pushes the rest: queues, UIDs
            fitting = [(line, found) for line, found in zip(lines, spans)
                       if all(found[column][1] - found[column][0] <= 5
                              for column in (0, 1, 7) if line != lines[0])]
            check(len(fitting) > len(lines) / 2, "too few lines that fit")
            for line, found in fitting:
                for number, column in enumerate(tables.COLUMNS):
                    edge = 1 if column in tables.NUMBERS else 0
                    equal(found[number][edge], spans[0][number][edge],
                          column, "of", repr(line), "under", repr(lines[0]))
        del kept


def spans_of(line):
    """Where the fields of @line begin and end."""
    spans, end = [], 0
    for field in line.split():
        start = line.index(field, end)
        end = start + len(field)
        spans.append((start, end))
    return spans


@test
def nobody_is_twice():
    """One row a socket: no inode twice, but for MPTCP's subflows."""
    with Netns():
        kept = []
        mixed_sockets(kept)
        own = {os.fstat(sock.fileno()).st_ino for sock in kept
               if sock.proto not in (IPPROTO_MPTCP, IPPROTO_UDPLITE)}
        counts = collections.Counter(
            row.inode for table in TABLES for row in tables.read(table))
        equal({inode: counts[inode] for inode in own},
              dict.fromkeys(own, 1), "rows by inode")
