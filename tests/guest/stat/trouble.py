# SPDX-License-Identifier: GPL-2.0
"""socktrouble: the rows of the tables that have a mark, and no others.

And the marks that stat.diag does not have: a UDP socket whose buffer is full, and,
since it takes a minute, a connection that only the peer has closed.
"""

import os
import random
import socket
import time

from lib import tables
from lib.ktap import (LONG, Failed, Skip, Workers, cases, check, equal, in_child, note,
                      scaled, test, until)
from lib.sockopts import put
from lib.tables import TABLES, row_of, slurp
from lib.world import (PLAIN_USER, Netns, connect, enter_userns, listener, pair, udp)
from guest.stat.diag import World, stuff
from guest.stat.reading import BUFFER, WAYS, difference, pieces

INET, INET6 = socket.AF_INET, socket.AF_INET6
PATH = "/proc/net/socktrouble"
UDP_TABLE = {INET: "udpstat", INET6: "udp6stat"}
# Where the test that takes a minute is played.
PATIENT = ("backports",)


def marked(net="/proc/net"):
    """The rows with a mark, table by table, without what differs: the padding."""
    return [row._replace(line="") for table in TABLES
            for row in tables.read(table, net) if row.diag]


# Where the columns of tcp6stat end.
LOCAL, STAT, DROPS, UID, INODE, OPTIONS = 60, 106, 118, 124, 130, 139


def padded(row):
    """@row as a line of tcp6stat; what is too wide pushes, and the next gives it back."""
    recvq, sendq, local, foreign, stat, diag, drops, uid, inode_, options = row.line.split()
    line = recvq.rjust(6) + " "
    line += sendq.rjust(13 - len(line)) + " "
    line = f"{line}{local} ".ljust(LOCAL)
    line = f"{line}{foreign} ".ljust(STAT) + stat + " "
    line = f"{line}{diag} ".ljust(DROPS)
    for text, end in (drops, UID), (uid, INODE), (inode_, OPTIONS):
        line += text.rjust(end - 1 - len(line)) + " "
    return line + options


def troubled(net="/proc/net"):
    """The rows of socktrouble, each padded as it should be."""
    rows = tables.read("socktrouble", net)
    for row in rows:
        equal(row.line, padded(row), "padding")
    return [row._replace(line="") for row in rows]


def agree(net="/proc/net"):
    """Fail unless socktrouble has what the tables mark; returns its rows."""
    before = None
    for _ in range(50):
        before = before or marked(net)
        ours = troubled(net)
        after = marked(net)
        if before == after:
            equal(ours, after, "socktrouble")
            return ours
        before = after
    raise Failed("the system never stood still")


def inode(sock):
    """By which a socket is known."""
    return os.fstat(sock.fileno()).st_ino


def marks(*socks):
    """What socktrouble says of each of @socks."""
    rows = {row.inode: row.diag for row in agree()}
    return [rows.get(inode(sock), ()) for sock in socks]


def small(sock):
    """Have as small a receive buffer as there is."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)


def send_to(sock, data=b"x"):
    """Send the UDP socket @sock a datagram, and wait for it or its loss."""
    def state():
        row = row_of(sock, UDP_TABLE[sock.family])
        return row.drops, row.recvq

    before = state()
    with socket.socket(sock.family, socket.SOCK_DGRAM) as sender:
        sender.sendto(data, sock.getsockname())
    until(lambda: state() != before, lambda: f"an effect: {before}")


def stuff_udp(socks):
    """Send each of @socks more than it has room for."""
    for family in INET, INET6:
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            for sock in socks:
                if sock.family == family:
                    for _ in range(8):
                        sender.sendto(b"x" * 500, sock.getsockname())
    full = {inode(sock) for sock in socks}
    until(lambda: full <= {row.inode for table in UDP_TABLE.values()
                           for row in tables.read(table) if row.diag == ("!B",)},
          "full buffers")
    return socks


def full_udp(family, count, address=None, port=0):
    """@count UDP sockets in trouble."""
    return stuff_udp([udp(family, setup=small, address=address, port=port)
                      for _ in range(count)])


def full_listener(family):
    """A listener in trouble, and what fills its queue."""
    door = listener(family, 0)
    client = connect(door)
    until(lambda: marks(door) == [("!A",)], "!A")
    return door, client


@test
def header_only():
    """Of a healthy host there is nothing to say, however many sockets it has."""
    with Netns():
        kept = []
        for family in INET, INET6:
            # More than are looked at in one go.
            for _ in range(scaled(12, 3)):
                with listener(family, 64) as door:
                    for _ in range(50):
                        kept += [connect(door), door.accept()[0]]
                kept += [udp(family) for _ in range(100)]
                kept.append(listener(family))
        equal(slurp(PATH), slurp("/proc/net/tcp6stat").split(b"\n")[0] + b"\n", "all of it")
        equal(os.stat(PATH).st_mode & 0o7777, 0o444, "mode")
        del kept


@test
def receive_buffer_full():
    """!B just as long as the next datagram, one like all others, would be dropped."""
    def one(case):
        family, size = case
        sock = udp(family, setup=lambda sock:
                   sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000))
        table = UDP_TABLE[family]
        equal(marks(sock), [()], "at first")
        waiting = 0

        def probe():
            """Send one; the mark before it said what would become of it."""
            before = row_of(sock, table)
            send_to(sock, b"x" * size)
            after = row_of(sock, table)
            equal(after.drops - before.drops, int(before.diag == ("!B",)),
                  f"drops after {before.line}")
            return before.diag == ("!B",)

        while not probe():
            waiting += 1
            check(waiting < 1000, "it never was full")
        equal(marks(sock), [("!B",)], "full")
        for _ in range(waiting):
            sock.recv(65536)
            if not probe():
                waiting += 1    # and it is in there
                break
        else:
            raise Failed("it was full until the end")
        sock.setblocking(False)
        while True:
            try:
                sock.recv(65536)
            except BlockingIOError:
                break
        equal(marks(sock), [()], "read")
        check(not probe(), "dropped by an empty buffer")
        sock.close()

    with Netns():
        names = {f"{size} bytes over {'IPv4' if family == INET else 'IPv6'}": (family, size)
                 for family in (INET, INET6) for size in (1, 700, 9000, 40000)}
        cases(names, lambda name: one(names[name]))


@test
def every_mark():
    """Each in the file while its cause lasts, with its row of the table; then none."""
    world = World()
    with world.near:
        keepalive, _ = connection(world, ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                                          (socket.SOL_TCP, socket.TCP_KEEPIDLE, 1),
                                          (socket.SOL_TCP, socket.TCP_KEEPINTVL, 1),
                                          (socket.SOL_TCP, socket.TCP_KEEPCNT, 100)))
        lost, _ = connection(world)
        fine, _ = connection(world)
        with world.link_down():
            lost.send(b"never arrives")
            until(lambda: marks(keepalive, lost, fine) == [("K?",), (">#", ">R"), ()],
                  lambda: marks(keepalive, lost, fine))
        until(lambda: not agree(), "no mark")
        for family in INET, INET6:
            one, other = pair(family)
            for sock in one, other:
                sock.setblocking(False)

            def stuffed(one=one, other=other):
                stuff(one)
                return marks(one, other) == [(">|",), ("|<",)]
            until(stuffed, lambda: agree())
            door, client = full_listener(family)
            full = full_udp(family, 1)[0]
            equal(marks(door, full, one, other), [("!A",), ("!B",), (">|",), ("|<",)], "marks")
            equal(len(agree()), 4, "rows")
            for sock in one, other, door, client, full:
                sock.close()
            until(lambda: not agree(), "no mark")


def connection(world, options=()):
    """A connection of @world whose near end has @options."""
    def setup(sock):
        for option in options:
            sock.setsockopt(*option)
    return world.connection(setup=setup)


@test
def closed_by_the_peer():
    """C? when only the peer has closed, for more than a minute; until this side does."""
    if os.environ.get("KNETSTAT_KERNEL") not in PATIENT and not LONG:
        raise Skip("it takes a minute")
    with Netns():
        idle, other = pair(INET)
        left = [pair(family) for family in (INET, INET6)]
        # Peers that closed one direction, and still answer data, or probes.
        sending, listening = pair(INET)
        probing, probed = pair(INET6)
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1)):
            probing.setsockopt(socket.SOL_TCP, option, value)
        probing.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        begin = time.monotonic()
        for _, peer in left:
            peer.close()
        listening.shutdown(socket.SHUT_WR)
        probed.shutdown(socket.SHUT_WR)
        ours = [sock for sock, _ in left]
        for sock, table in zip((*ours, sending), ("tcpstat", "tcp6stat", "tcpstat")):
            until(lambda s=sock, t=table: row_of(s, t).stat == "CLSW", "CLSW")
        equal(agree(), [], "trouble at first")

        def all_old():
            time.sleep(0.2)
            sending.send(b"x")
            # Not by agree(): the mark may come between two tables.
            rows = {row.inode: row.diag for row in troubled()}
            if rows:
                check(time.monotonic() - begin > 59, "too early:", rows)
            check(not {inode(idle), inode(sending), inode(probing)} & set(rows), rows)
            return [rows.get(inode(sock)) for sock in ours] == [("C?",), ("C?",)]
        until(all_old, "C?")
        equal(marks(*ours, idle, probing), [("C?",), ("C?",), (), ()], "marks")
        ours[0].send(b"x")      # is answered by a reset
        until(lambda: marks(*ours) == [(), ("C?",)], lambda: marks(*ours))
        ours[1].close()
        equal(agree(), [], "when this side has closed, too")
        del other


@test
def same_as_the_tables():
    """Sockets in trouble among others: of each family and protocol, in their order."""
    with Netns():
        kept = []
        for family in INET, INET6:
            for _ in range(scaled(10, 4)):
                kept += [*pair(family), *full_listener(family), udp(family),
                         *full_udp(family, 3)]
        rows = agree()
        equal(len(rows), 2 * scaled(10, 4) * 4, "rows")
        families = ["." in row.local for row in rows]
        equal([stat == "LSTN" for stat in (row.stat for row in rows)],
              sorted((row.stat == "LSTN" for row in rows), reverse=True), "TCP first")
        count = scaled(10, 4)
        equal(families, [True] * count + [False] * count +
              [True] * 3 * count + [False] * 3 * count, "IPv4 first, of each")
        del kept


@test
def no_ipv4_in_trouble():
    """The IPv6 parts do not hang on the IPv4 ones."""
    with Netns():
        kept = [udp(INET), *pair(INET), *full_udp(INET6, 2)]
        equal([row.diag for row in agree()], [("!B",)] * 2, "rows")
        kept += full_listener(INET6)
        equal([row.diag for row in agree()], [("!A",)] + [("!B",)] * 2, "rows")
        del kept


def on_one_port(count, every):
    """@count UDP sockets in one hash bucket, each @every'th of them in trouble."""
    first = udp(INET, address="127.1.0.1")
    port = first.getsockname()[1]
    kept, full = [first], []
    for number in range(1, count):
        address = f"127.1.{number // 250}.{number % 250 + 1}"
        kept.append(udp(INET, setup=small, address=address, port=port))
        if number % every == 0:
            full.append(kept[-1])
    return kept, stuff_udp(full)


@test
def thousands_in_a_bucket():
    """More sockets in one hash bucket than are looked at in one go, few in trouble."""
    with Netns():
        kept, full = on_one_port(5000, 500)
        kept += [udp(INET) for _ in range(500)]
        equal(sorted(row.inode for row in agree()), sorted(map(inode, full)), "rows")
        del kept


def ways_agree(more_than):
    """Every way to read gives the bytes of reads of 1 MiB, and the tables' rows."""
    def one(name):
        text = WAYS[name](PATH)
        if text != whole:
            raise Failed(difference(text, whole))

    agree()
    whole = slurp(PATH)
    check(len(whole) > more_than, "too few rows to test with:", len(whole))
    cases(WAYS, one)
    pieces(PATH, whole)
    equal(slurp(PATH) == whole, True, "the system stood still")


@test
def ways_to_read():
    """Reads of any size, pread and lseek, with rows in each part of the file."""
    with Netns():
        kept = full_udp(INET, 350) + full_udp(INET6, 350)
        for family in INET, INET6:
            for _ in range(3):
                kept += full_listener(family)
        ways_agree(BUFFER)
        del kept


@test
def ways_to_read_a_bucket():
    """The same with more rows of trouble in a hash bucket than a buffer holds."""
    with Netns():
        kept, full = on_one_port(1400, 2)
        note(f"{len(full)} of {len(kept)} in trouble")
        ways_agree(BUFFER)
        del kept


@test
def churn():
    """Sockets come and go; those in trouble stay, and each row is whole."""
    def churner(stopping):
        made = 0
        while not stopping():
            kept = []
            for family in INET, INET6:
                for _ in range(10):
                    kept += pair(family)
                with listener(family, 0) as door:
                    kept.append(connect(door))
                kept += [udp(family, setup=small) for _ in range(10)]
                with socket.socket(family, socket.SOCK_DGRAM) as sender:
                    for sock in kept[-10:]:
                        for _ in range(8):
                            sender.sendto(b"x" * 500, sock.getsockname())
            made += len(kept)
            random.shuffle(kept)
            for sock in kept:
                sock.close()
        return made

    def reader(size):
        def read(_):
            for _ in range(scaled(25, 15, long=500)):
                rows = tables.parse(slurp(PATH, size).decode("ascii"))
                for row in rows:
                    check(row.diag, "no mark:", row.line)
                    check(row.stat in tables.STATES.values() or row.stat == "UNCN", row.line)
                    check(row.options, row.line)
                seen = [row.inode for row in rows if row.inode in staying]
                equal(sorted(seen), sorted(staying), f"those that stay, by {size}")
        return read

    with Netns():
        kept = []
        for family in INET, INET6:
            kept += [full_listener(family) for _ in range(5)]
            kept += [(sock,) for sock in full_udp(family, scaled(100, 40))]
        staying = {inode(socks[0]) for socks in kept}
        with Workers(churner, churner) as churners:
            with Workers(reader(512), reader(1 << 20)):
                churners.rounds(2)
        note(f"{sum(churners.answers)} sockets came and went")
        until(lambda: {row.inode for row in agree()} == staying, "the end of all others")


@test
def of_its_namespace():
    """Each namespace has its own; an open file stays with the one it was opened in."""
    one, two = Netns(), Netns()
    with one:
        mine = full_udp(INET, 1)[0]
        fd = os.open(PATH, os.O_RDONLY)
    with two:
        equal(agree(), [], "in the other")
        theirs = full_udp(INET6, 1)[0]
        equal([row.inode for row in agree()], [inode(theirs)], "in the other")
        rows = tables.parse(tables.drain(fd, 4096).decode("ascii"))
        equal([row.inode for row in rows], [inode(mine)], "in the file")
        os.lseek(fd, 0, os.SEEK_SET)
        mine.close()
        equal(tables.parse(tables.drain(fd, 1).decode("ascii")), [], "in the file")
    os.close(fd)


@test
def dies_with_its_namespace():
    """Open and half read while its namespace ends."""
    netns = Netns()
    with netns:
        kept = full_udp(INET, 300)
        fds = [os.open(PATH, os.O_RDONLY) for _ in range(3)]
        os.read(fds[1], 1)
        os.read(fds[2], 50000)
        for sock in kept:
            sock.close()
    netns.close()
    for fd in fds:
        tables.drain(fd, 1000)
        os.lseek(fd, 0, os.SEEK_SET)
        equal(tables.parse(tables.drain(fd, 1000).decode("ascii")), [], "rows")
        os.close(fd)


@test
def who_may_see_the_mark():
    """SO_MARK is for who administers the network; all else, and UIDs, as in the tables."""
    def seen():
        return [(row.uid, row.options.get("SO_MARK"), row.options["SO_PRIORITY"])
                for row in agree()]

    def plain():
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        equal(seen(), [(PLAIN_USER, None, "3")], "seen by a user")

    def mapped():
        enter_userns(f"0 0 1\n5 {PLAIN_USER} 1")
        equal(seen(), [(5, None, "3")], "seen in a user namespace")

    with Netns():
        sock = full_udp(INET, 1)[0]
        put(sock, "SO_MARK", 42)
        put(sock, "SO_PRIORITY", 3)
        os.fchown(sock.fileno(), PLAIN_USER, PLAIN_USER)
        equal(seen(), [(PLAIN_USER, "42", "3")], "seen by root")
        in_child(plain)
        in_child(mapped)


@test
def killed_while_it_looks():
    """A reader that is killed ends, and another reader of the file gets all of it."""
    with Netns():
        kept = full_udp(INET, 20) + [udp(INET) for _ in range(scaled(3000, 500))]
        fd = os.open(PATH, os.O_RDONLY)
        whole = slurp(PATH)
        for _ in range(20):
            pid = os.fork()
            if not pid:
                while True:
                    os.pread(fd, 1, 0)
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.lseek(fd, 0, os.SEEK_SET)
            equal(tables.drain(fd, 4096), whole, "what is left to others")
        os.close(fd)
        del kept
