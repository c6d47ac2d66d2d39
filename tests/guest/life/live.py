# SPDX-License-Identifier: GPL-2.0
"""tcplive: the sessions that are alive, and what is said of them."""

import errno
import os
import socket
import struct
import time

from lib import life, tables
from lib.agents import Agents
from lib.ktap import Workers, cases, check, equal, in_child, note, scaled, test, until
from lib.life import LIVE, live
from lib.scenes import say
from lib.world import (PLAIN_USER, Netns, connect, enter_userns, insmod, listener, many_files,
                       pair, rmmod, user)

INET, INET6 = socket.AF_INET, socket.AF_INET6
TCP_INFO = 11


def of(rows, sock):
    """The only one of @rows that is of @sock."""
    ends = sock.getsockname()[:2], sock.getpeername()[:2]
    mine = [row for row in rows if (row.local, row.remote) == ends]
    equal(len(mine), 1, "rows of", ends)
    return mine[0]


@test
def columns():
    """Each field is in its column, to the left or to the right of it."""
    with Netns():
        kept = [pair(INET), pair(INET6)]
        lines = life.slurp(LIVE).decode("ascii").split("\n")
        equal(lines[0].split(), life.LIVE_COLUMNS, "header")
        equal(len(lines), 6, "lines")
        for line in lines[1:-1]:
            equal(line, line.rstrip(), "blanks at the end")
            if "::" in line:
                continue        # wider than what is reserved for IPv4
            life.lined_up(lines[0], line)
        del kept


@test
def both_ends():
    """While nothing flows the numbers are exact, and what they will be in tcplife."""
    def one(name):
        family = {"v4": INET, "v6": INET6}[name]
        client, server = pair(family)
        say(client, server, 4000)
        say(server, client, 70000)
        rows = live()
        near, far = of(rows, client), of(rows, server)
        equal((near.tx, near.rx, far.tx, far.rx), (4000, 70000, 70000, 4000), "bytes")
        equal((near.role, far.role, near.state, far.state), ("conn", "acpt", "ESTB", "ESTB"),
              "roles and states")
        equal({row.who for row in (near, far)}, {(os.getpid(), life.comm(), "use")}, "who")
        for row in near, far:
            now = time.time_ns() // 1000
            check(abs(row.since + row.ms - now) < 10**7, "SINCE and MS:", row.line)
        client.shutdown(socket.SHUT_WR)
        until(lambda: (of(live(), server).state, of(live(), client).state) == ("CLSW", "FNW2"),
              live)
        equal(of(live(), client).tx, 4000, "TX_B without the FIN")
        server.close()
        until(lambda: len(follower.now_and_before()) == 2, "the rows of tcplife")
        equal(live(), [], "alive")
        for was, then in (near, far), (far, near):
            row = [row for row in follower.rows if row.local == was.local][0]
            equal((row.tx, row.rx, row.role, row.who, row.cgroup, row.netns),
                  (was.tx, was.rx, was.role, was.who, was.cgroup, was.netns), "in tcplife")
            equal(then.tx, was.rx, "the other end's")
        client.close()

    for name in "v4", "v6":
        with Netns():
            follower = Rows()
            cases([name], one)


class Rows(life.Follower):
    """A Follower who keeps all that came."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def now_and_before(self):
        """All Rows since it was made."""
        self.rows += self.now()
        return self.rows


@test
def who_connects():
    """From the SYN on for who connects; for who accepts when the handshake is over."""
    with Netns():
        with listener(INET, 0) as door:
            first = connect(door)
            stuck = [socket.socket() for _ in range(2)]
            for sock in stuck:
                sock.setblocking(False)
                sock.connect_ex(door.getsockname())
            # One may wait in a queue of none; the other's SYN is not answered.
            until(lambda: {row.state for row in live() if row.role == "conn"} == {"ESTB", "SYNS"},
                  live)
            for row in live():
                check((row.conn_ms is None) == (row.state != "ESTB" or row.role == "acpt"),
                      "CONN_MS:", row.line)
                check(row.state != "LSTN" and row.ms is not None, row.line)
            for sock in stuck + [first]:
                sock.close()


@test
def older():
    """What is older than the module has no age, and who holds it."""
    with Netns():
        rmmod()
        try:
            client, server = pair(INET)
            say(client, server, 10)
        finally:
            insmod()
        row = of(live(), server)
        equal((row.since, row.ms, row.role, row.rx, row.who),
              (None, None, None, 10, (os.getpid(), life.comm(), "hold")), "older")
        client.close()


@test
def older_of_nobody():
    """What no process holds when the module is loaded: not accepted, or closed already."""
    def ends(sock):
        return {(sock.getsockname()[1], sock.getpeername()[1]),
                (sock.getpeername()[1], sock.getsockname()[1])}

    for family in INET, INET6:
        with Netns(), listener(family, 600) as door:
            rmmod()
            try:
                waiting = [connect(door) for _ in range(scaled(300, 30))]
                closed, server = pair(family)
                wanted = set().union(*map(ends, [closed, *waiting]))
                closed.setblocking(False)
                try:
                    while closed.send(b"x" * 100000):
                        pass
                except BlockingIOError:
                    closed.close()      # it has data that its other end does not take
            finally:
                insmod()
            rows = live()
            equal({(row.lport, row.rport) for row in rows} ^ wanted, set(), "more, or less")
            equal(len(rows), len(wanted), "rows")
            # By both ports: two sockets to different doors may have the same one of their own.
            here = {(sock.getsockname()[1], sock.getpeername()[1])
                    for sock in (server, *waiting)}
            for row in rows:
                check((row.by == "hold") == ((row.lport, row.rport) in here),
                      "BY of", row.line)
                equal((row.ms, row.role), (None, None), row.line)
            server.close()
            for sock in waiting:
                sock.close()


@test
def who_may_see():
    """The namespace's to who reads there, all to the host's root; whose, as in tcplife."""
    def shown(path=LIVE):
        return {(row.lport, row.pid) for row in live(path)}

    one, other = Netns(), Netns()
    with one:
        with user(PLAIN_USER):
            theirs = pair(INET)
        mine = pair(INET)
    with other:
        far = pair(INET)
    everyone = {(sock.getsockname()[1], os.getpid())
                for sock in (*theirs, *mine, *far)}
    check(everyone <= shown(f"/proc/{os.getpid()}/net/tcplive"), "root sees all")
    with one:
        inside = {(sock.getsockname()[1], os.getpid()) for sock in (*theirs, *mine)}
        equal(shown(), inside, "inside")

        def plain():
            os.setgroups([])
            os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
            return shown()
        own = {sock.getsockname()[1] for sock in theirs}
        equal(in_child(plain), {(port, pid if port in own else None) for port, pid in inside},
              "a plain user")
        equal(in_child(lambda: (enter_userns(), shown())[1]),
              {(port, None if port not in {s.getsockname()[1] for s in mine} else pid)
               for port, pid in inside}, "root of a user namespace")


@test
def many():
    """Sessions of many namespaces, each once, however it is read."""
    spaces, each = scaled((50, 100), (10, 20))
    many_files()
    kept, ports = [], {}
    for _ in range(spaces):
        netns = Netns()
        with netns:
            with listener(INET, each) as door:
                for _ in range(each):
                    client = connect(door)
                    kept += [client, door.accept()[0]]
            ports[life.netns_inode()] = sorted(
                row.lport for row in live())
            equal(len(ports[life.netns_inode()]), 2 * each, "in a namespace")
        kept.append(netns)
    for size in 1 << 20, 4096:
        found = {}
        for row in life.parse_live(life.slurp(LIVE, size).decode("ascii")):
            found.setdefault(row.netns, []).append(row.lport)
        for inode, some in ports.items():
            equal(sorted(found.get(inode, ())), some, "by reads of", size)
    with netns:
        equal(sorted(row.lport for row in life.parse_live(
            life.slurp(LIVE, 100).decode("ascii"))), some, "by reads of 100")


@test
def storm():
    """Sessions that stay are in every reading once, whatever comes and goes; and each
    that ends is in tcplive or, after that, in tcplife."""
    def churn(stop):
        with listener(INET, 16) as door:
            while not stop():
                client = connect(door)
                server = door.accept()[0]
                client.close()
                server.close()

    def reads(stop):
        """Live first, then the ring: what is gone from the one is in the other."""
        follower, last, over = life.Follower(), set(), set()
        seqs, readings, done = set(), 0, False
        while not done:
            done = stop()
            rows = live()
            ends = [(row.local, row.remote) for row in rows]
            mine = [end for end in ends if end in stay]
            equal(len(mine), len(stay), "rows of those that stay")
            equal(len(set(mine)), len(stay), "different ones")
            equal(len(set(ends)), len(ends), "no session twice")
            for row in follower.now():
                seqs.add(row.seq)
                over.add((row.local, row.remote))
            equal(sorted((last - set(ends)) - over)[:3], [], "in neither")
            last = set(ends)
            readings += 1
        equal(len(seqs), max(seqs) - min(seqs) + 1, "rows that were missed")
        return readings

    def account(stop):
        """Live first, then the ring: nobody is in neither."""
        rounds = 0
        while not stop():
            with listener(INET, 1) as door:
                client = connect(door)
                server = door.accept()[0]
            ends = client.getsockname()[:2], client.getpeername()[:2]
            pid = os.fork()
            if not pid:
                client.close()
                server.close()
                os._exit(0)
            client.close()
            server.close()
            seen = any((row.local, row.remote) == ends for row in live())
            check(seen or any((row.local, row.remote) == ends for row in life.read()),
                  "in neither:", ends)
            os.waitpid(pid, 0)
            rounds += 1
        return rounds

    with Netns():
        kept = [pair(INET) for _ in range(20)]
        stay = {(sock.getsockname()[:2], sock.getpeername()[:2])
                for both in kept for sock in both}
        with Workers(churn, churn, reads, reads, reads, reads, account) as workers:
            workers.rounds(scaled(12, 6, long=2000))
        note(f"readings and rounds: {workers.answers[2:]}")


@test
def unload():
    """The module goes while the file is read."""
    with Netns():
        kept = [pair(INET) for _ in range(scaled(200, 50))]
        fd = os.open(LIVE, os.O_RDONLY)
        check(os.read(fd, 5000), "a first read")
        rmmod()
        try:
            try:
                got = os.read(fd, 5000)
            except OSError as error:
                got = error.errno
            equal(got, errno.EIO, "read of what is gone")
            os.close(fd)
        finally:
            insmod()
        del kept


@test
def unload_under_readers():
    """The module comes and goes under four who read both files, in small pieces."""
    def reads(stop):
        whole = 0
        while not stop():
            try:
                life.parse_live(life.slurp(LIVE, 3000).decode("ascii"))
                life.parse(life.slurp(life.FILE, 3000).decode("ascii"))
                whole += 1
            except OSError as error:
                check(error.errno in (errno.EIO, errno.ENOENT, errno.ENODEV), error)
        return whole

    with Netns():
        kept = [pair(INET) for _ in range(50)]
        with Workers(*[reads] * 4) as workers:
            for number in range(scaled(3, 2, long=100)):
                workers.rounds(1 + 2 * number)
                rmmod()
                insmod()
        equal(len(live()), 2 * len(kept), "sessions that are older now")
        note(f"readings: {workers.answers}")


@test
def stalled():
    """While data is stuck each end says what TCP_INFO of it says."""
    def info(sock):
        """tcpi_bytes_acked, with the SYN of who connected, and tcpi_bytes_received."""
        return struct.unpack_from("=QQ", sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 136), 120)

    def one(name):
        client, server = pair({"v4": INET, "v6": INET6}[name])
        say(server, client, 30000)
        try:
            while True:
                client.send(b"x" * 65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass

        def quiet():
            was = info(client), info(server)
            return was if was[0][0] - 1 == was[1][1] else None
        near, far = until(quiet, "all that was received acknowledged")
        rows = live()
        equal((of(rows, client).tx, of(rows, client).rx), (near[0] - 1, near[1]), "near")
        equal((of(rows, server).tx, of(rows, server).rx), far, "far")
        check(far[1] > 30000, "next to nothing was sent")
        client.close()
        server.close()

    with Netns():
        cases(["v4", "v6"], one)


@test
def host_view():
    """All namespaces are the host's root's to see, and nobody else's."""
    with Netns() as netns:
        kept = pair(INET)
        inode = life.netns_inode()

    def seen():
        return sum(row.netns == inode for row in live())

    def plain():
        os.setgroups([])
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        return seen()

    def rights_of_who_opened():
        """Opened as root, read by nobody; and the other way round."""
        fd = os.open(LIVE, os.O_RDONLY)
        with user(PLAIN_USER):
            other = os.open(LIVE, os.O_RDONLY)
            mine = b"".join(iter(lambda: os.read(fd, 1 << 16), b""))
        theirs = b"".join(iter(lambda: os.read(other, 1 << 16), b""))
        return [sum(row.netns == inode for row in life.parse_live(text.decode("ascii")))
                for text in (mine, theirs)]

    equal((seen(), in_child(plain)), (2, 0), "rows seen by root, by a plain user")
    equal(in_child(rights_of_who_opened), [2, 0], "opened by root, by a plain user")
    del kept, netns


@test
def beside_the_table():
    """The sessions that /proc/net/tcp has, in their states."""
    with Netns(), Agents() as agents:
        client, server = agents("client", "server")
        port = server.listen("door")
        for number in range(10):
            client.connect(f"c{number}", port)
            server.accept(f"s{number}", "door")
        for number in range(3):
            client.shutdown(f"c{number}")

        def both():
            return (sorted((row.local, row.foreign, row.stat)
                           for row in tables.read_kernel("tcpstat")
                           if row.stat not in ("LSTN", "TIMW")),
                    sorted((f"{row.laddr}:{row.lport}", f"{row.raddr}:{row.rport}", row.state)
                           for row in live()))

        def same():
            kernels, ours = both()
            return kernels == ours
        until(same, both)
        equal(len(both()[0]), 20, "sessions")
