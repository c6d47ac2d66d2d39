# SPDX-License-Identifier: GPL-2.0
"""Sessions and what is beneath them: routes and namespaces that are not there, or go; and
sessions that were restored.
"""

import errno
import os
import socket
import struct

from lib import life
from lib.ktap import Failed, Skip, cases, equal, test
from lib.life import Process, Stage, ended, linger, receive, want
from lib.scenes import say, tail
from lib.world import Netns, gone, ip, join, listener, sysctl

INET, INET6 = socket.AF_INET, socket.AF_INET6
TCP = socket.IPPROTO_TCP
TCP_USER_TIMEOUT = 18
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
TCP_REPAIR_OPTIONS, TCP_REPAIR_WINDOW = 22, 29


@test
def unreachable():
    """No such neighbour: this host tells itself so by ICMP while it connects."""
    def one(name):
        family, there = {"v4": (INET, "10.77.0.9"),
                         "v6": (INET6, "fd77::9")}[name]
        with stage.scene() as scene:
            client = socket.socket(family, socket.SOCK_STREAM)
            try:
                client.bind(("10.77.0.1" if family == INET else "fd77::1", 0))
                scene.wants(want(client, "conn", "unreach", remote=(there, 9),
                                 established=False))
                client.connect((there, 9))
                raise Failed("connected")
            except OSError as error:
                equal(error.errno, errno.EHOSTUNREACH, "connect")
            client.close()

    one_side, other = Netns(), Netns()
    join(one_side, other, (("10.77.0.1/16", "fd77::1/64"), ()))
    with one_side:
        for version in "ipv4", "ipv6":
            sysctl(f"net/{version}/neigh/veth/mcast_solicit", 1)
            sysctl(f"net/{version}/neigh/veth/retrans_time_ms", 50)
        stage = Stage()
        cases(["v4", "v6"], one)
        tail(stage)


@test
def no_route():
    """connect() that fails at once has made no session."""
    with Netns():
        follower = life.Follower()
        for family, there in (INET, "10.1.2.3"), (INET6, "fd01::1"):
            with socket.socket(family, socket.SOCK_STREAM) as client:
                equal(client.connect_ex((there, 9)), errno.ENETUNREACH,
                      "connect")
        equal(follower.now(), [], "rows")


@test
def namespace_destroyed():
    """Its sessions end, and it does; the rows are there afterwards.

    One is closed, one is reset, and the third's end outlives all processes of
    the namespace, since its peer is cut off.
    """
    def inside(line, path):
        fd = os.open(path, os.O_RDONLY)
        os.setns(fd, os.CLONE_NEWNET)
        os.close(fd)
        with listener(INET, address="0.0.0.0") as door:
            line.say((door.getsockname()[1], life.netns_inode()))
            kept = [door.accept()[0] for _ in range(3)]
        for number, sock in enumerate(kept):
            sock.setsockopt(TCP, TCP_USER_TIMEOUT, 200)
            receive(sock, number)
        line.say()
        line.hear()     # until killed

    doomed, outside = Netns(), Netns()
    join(doomed, outside, (("10.78.0.1/24",), ("10.78.0.2/24",)))
    join(doomed, outside, (("10.79.0.1/24",), ("10.79.0.2/24",)), "cut")
    follower = life.Follower()      # the view of all namespaces
    process = Process("doomed", inside, doomed.path)
    port, inode = process.hear()
    began = life.clock()
    with outside:
        there = life.netns_inode()
        clients, wanted = [], []
        for number, (near, far, end, by) in enumerate((
                ("10.78.0.1", "10.78.0.2", "fin", "close"),
                ("10.78.0.1", "10.78.0.2", "reset", "use"),
                ("10.79.0.1", "10.79.0.2", "timeout", "use"))):
            client = socket.create_connection((near, port))
            client.sendall(b"x" * number)
            clients.append(client)
            wanted.append(want(None, "acpt", end, 0, number, by=by,
                               local=(near, port),
                               remote=(far, client.getsockname()[1]),
                               **process.who))
        process.hear()
        linger(clients[1])
        clients[1].close()
        ip("link set cut down")
    doomed.close()
    process.kill()
    ended(clients[0])
    clients[0].close()
    # its other end's row has been there since the link went down
    rows = follower.take(5, of=(inode, there))
    ended_at = life.clock()
    with outside:
        gone("veth")
    inside_rows = [row for row in rows if row.netns == inode]
    equal(len(inside_rows), 3, "rows of the namespace",
          *(f"\n{row.line}" for row in rows))
    equal({row.netns for row in rows}, {inode, there}, "namespaces")
    for asked in wanted:
        mine = [row for row in inside_rows if row.remote == asked.remote]
        equal(len(mine), 1, "rows of", asked)
        life.check_row(mine[0], asked, began, ended_at, inode)
    again = {row.seq: row.line for row in life.read()}
    for row in rows:
        equal(again.get(row.seq), row.line, "when the namespace has gone")
    clients[2].close()


@test
def restored():
    """Sessions that TCP_REPAIR makes: they never sent a SYN."""
    def make(family, address, port, queues, wrap):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(TCP, TCP_REPAIR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        for queue, seq in zip((1, 2), queues):      # receive, send
            sock.setsockopt(TCP, TCP_REPAIR_QUEUE, queue)
            sock.setsockopt(TCP, TCP_QUEUE_SEQ,
                            struct.pack("=I", (seq + wrap) % (1 << 32)))
        return sock

    def one(name):
        wrap = (1 << 32) - 1100 if name == "wrapping" else 0
        with stage.scene() as scene:
            # Two ports that are free
            with listener(INET) as one, listener(INET) as two:
                ports = [door.getsockname()[1] for door in (one, two)]
            left = make(INET, "127.0.0.1", ports[0], (1000, 500000), wrap)
            right = make(INET, "127.0.0.1", ports[1], (500000, 1000), wrap)
            left.connect(("127.0.0.1", ports[1]))
            right.connect(("127.0.0.1", ports[0]))
            for sock, sent in (left, 500000), (right, 1000):
                # what the other end said of itself: MSS and window
                sock.setsockopt(TCP, TCP_REPAIR_OPTIONS,
                                struct.pack("=2I", 2, 1460))
                sock.setsockopt(TCP, TCP_REPAIR_WINDOW, struct.pack(
                    "=5I", (501000 - sent + wrap) % (1 << 32), 65535, 65535,
                    65535, (501000 - sent + wrap) % (1 << 32)))
                sock.setsockopt(TCP, TCP_REPAIR, 0)
            say(left, right, 300)
            say(right, left, 400)
            scene.wants(want(left, "conn", "fin", 300, 400),
                        want(right, "conn", "fin", 400, 300))
            left.close()
            ended(right)
            right.close()

    with Netns():
        try:
            with socket.socket() as sock:
                sock.setsockopt(TCP, TCP_REPAIR, 1)
        except OSError as error:
            raise Skip("no TCP_REPAIR") from error
        stage = Stage()
        cases(["plain", "wrapping"], one)
        tail(stage)
