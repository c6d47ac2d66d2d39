# SPDX-License-Identifier: GPL-2.0
"""unixowner names who holds a Unix socket and what is at its other end.

Every case has a network namespace of its own, whose Unix sockets are those of the case
and no others; ss, /proc/PID/fd and the kernel's own file are asked about the same ones.
"""

import contextlib
import ctypes
import errno
import os
import random
import signal
import socket
import struct
import subprocess

from guest.faults import Faults, each_allocation
from guest.owner.bounds import sharers
from guest.owner.load import tries, unload_while_open
from guest.stat.reading import difference, every_way
from lib import life, owner, tables, unixowner
from lib.ktap import (Workers, cases, check, equal, in_child, note, scaled, test, until)
from lib.owner import CLONE_FILES, Holder, become, in_pidns
from lib.unixowner import FILE, nobodys, pair_stat, row_of, rows_are
from lib.world import (LIBC, PLAIN_USER, Netns, enter_userns, gone, insmod, ip, rmmod,
                       user)

STREAM, DGRAM, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET
KINDS = {"stream": STREAM, "datagram": DGRAM, "seqpacket": SEQPACKET}
OTHER_USER = PLAIN_USER + 1


def sock_of(kind, name=None):
    """A Unix socket, bound if it has a name."""
    sock = socket.socket(socket.AF_UNIX, kind)
    if name is not None:
        sock.bind(name)
    return sock


def door_of(kind, name, backlog=64):
    """A listener."""
    sock = sock_of(kind, name)
    sock.listen(backlog)
    return sock


def to(sock, kind=None):
    """A socket that is connected to @sock."""
    made = socket.socket(socket.AF_UNIX, kind or sock.type)
    made.connect(sock.getsockname())
    return made


def place(number=0):
    """A path that is free."""
    path = f"/tmp/unixowner.{os.getpid()}.{number}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return path


def each_kind(case, names=KINDS):
    """Run @case(kind) for each, each in a namespace of its own."""
    def one(name):
        with Netns():
            case(KINDS[name])
    cases(names, one)


@test
def one_of_each():
    """Bound by a path, abstract, by the kernel, not at all; pairs."""
    def case(kind):
        one, two = socket.socketpair(socket.AF_UNIX, kind)
        fresh = sock_of(kind)
        path, abstract, auto = (sock_of(kind, name) for name in
                                (place(), b"\0abstract", ""))
        check(len(auto.getsockname()) == 6, "what the kernel chose:", auto.getsockname())
        stat = pair_stat(one)
        rows_are([row_of(one, stat, peer=two), row_of(two, stat, peer=one),
                  row_of(fresh, "UNCN"), row_of(path, "UNCN"),
                  row_of(abstract, "UNCN"), row_of(auto, "UNCN")])
    each_kind(case)


@test
def connections():
    """A listener, who waits to be accepted, and who has been."""
    def case(kind):
        door = door_of(kind, place())
        client = to(door)
        waiting = nobodys(row_of(door, "ESTB", peer=client), inode=0)
        rows_are([row_of(door, "LSTN"), row_of(client, "ESTB"), waiting])
        server = door.accept()[0]
        rows_are([row_of(door, "LSTN"), row_of(client, "ESTB", peer=server),
                  row_of(server, "ESTB", peer=client)])
        client.close()
        rows_are([row_of(door, "LSTN"), row_of(server, "ESTB")])
    each_kind(case, ("stream", "seqpacket"))


@test
def full_queue():
    """Who has to wait in connect() is connected to nothing, and nothing to him."""
    def prepared():
        return " 0000 " in tables.slurp("/proc/net/unix").decode("latin-1")

    with Netns():
        door = door_of(STREAM, place(), backlog=0)
        client = to(door)
        rows = [row_of(door, "LSTN"), row_of(client, "ESTB"),
                nobodys(row_of(door, "ESTB", peer=client), inode=0)]
        rows_are(rows)
        pid = os.fork()
        if not pid:
            to(door)
            os._exit(0)
        try:
            until(prepared, "a connect() that waits")
            mine = [row for row in unixowner.compare() if row.pid != pid]
            equal(sorted(map(repr, mine)), sorted(map(repr, rows)), "rows")
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@test
def datagrams():
    """One way, both ways, another way, and to one that has gone."""
    with Netns():
        log, more = sock_of(DGRAM, place()), sock_of(DGRAM, place(1))
        one, two = to(log), to(log)

        def peers():
            return {row.fd: row.peer for row in unixowner.compare()}
        inodes = {sock: unixowner.inode_of(sock) for sock in (log, more, one, two)}
        equal(peers(), {log.fileno(): None, more.fileno(): None,
                        one.fileno(): inodes[log], two.fileno(): inodes[log]}, "one way")
        one.connect(more.getsockname())
        more.connect(log.getsockname())
        equal(peers(), {log.fileno(): None, more.fileno(): inodes[log],
                        one.fileno(): inodes[more], two.fileno(): inodes[log]},
              "another way")
        log.close()
        equal(peers(), {more.fileno(): None, one.fileno(): inodes[more],
                        two.fileno(): None}, "gone")


def bind_raw(sock, data):
    """bind() to the bytes @data, of which the last is not followed by a NUL."""
    address = struct.pack("=H", socket.AF_UNIX) + data
    check(LIBC.bind(sock.fileno(), address, len(address)) == 0, "bind",
          os.strerror(ctypes.get_errno()))


ODD = {
    "blanks": b"a b\tc\nd\\e", "bytes": bytes(range(1, 47)) + bytes(range(48, 108)),
    "more bytes": bytes(range(150, 256)), "a dash": b"-", "an at": b"@looks/abstract",
    "only an at": b"@", "an escape": b"\\040", "a hash": b"#", "UTF-8": "größe".encode(),
}


@test
def odd_paths():
    """Whatever a path has in it: it is one field, and stands for no other name."""
    def one(name):
        with Netns():
            path = b"/" + ODD[name].replace(b"/", b"x")
            relative = path[1:]
            for each in path, relative:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(each)
                sock = sock_of(DGRAM, each)
                rows_are([row_of(sock, "UNCN", path=each)])
                sock.close()
                os.unlink(each)
    os.makedirs("/tmp/odd", exist_ok=True)
    os.chdir("/tmp/odd")
    cases(ODD, one)


@test
def odd_names():
    """Whatever an abstract name has in it, NULs as well; the longest, and none."""
    odd = {**ODD, "NULs": b"a\0\0b\0", "only NULs": b"\0" * 5, "nothing": b"",
           "the longest": b"x" * 107, "the longest of NULs": b"\0" * 107,
           "a path's": b"/tmp/path"}

    def one(name):
        with Netns():
            sock = door_of(SEQPACKET, b"\0" + odd[name])
            client = to(sock)
            server = sock.accept()[0]
            rows_are([row_of(sock, "LSTN", path=b"\0" + odd[name]),
                      row_of(client, "ESTB", peer=server),
                      row_of(server, "ESTB", peer=client, path=b"\0" + odd[name])])
    cases(odd, one)


@test
def longest_path():
    """108 bytes, of which none is a NUL, and the one that comes next."""
    with Netns():
        for length in 106, 107, 108:
            path = os.fsencode(place()).ljust(length, b"p")
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            sock = sock_of(STREAM)
            bind_raw(sock, path)
            rows_are([row_of(sock, "UNCN", path=path)])
            sock.close()
            os.unlink(path)


@test
def how_it_is_written():
    """Names as text: what PATH says, byte for byte."""
    os.chdir("/tmp")
    with Netns():
        for name, text in ((b"\0a b\0c@", "@a\\040b\\000c@"), (b"\0", "@"),
                           (b"@x", "\\100x"), (b"-", "\\055"), (b"--", "--"),
                           (b"\\", "\\134"), (b"\xc3\xa4", "\\303\\244")):
            sock = sock_of(STREAM, name)
            line = tables.slurp(FILE).decode("ascii").splitlines()[1]
            equal(line.split()[6], text, "PATH of", name)
            sock.close()
            if name[:1] != b"\0":
                os.unlink(name)


@test
def unlinked():
    """The name is what it was bound to, whatever has become of that."""
    with Netns():
        sock, moved = door_of(STREAM, place()), door_of(STREAM, place(1))
        rows = [row_of(sock, "LSTN"), row_of(moved, "LSTN")]
        os.unlink(sock.getsockname())
        os.rename(moved.getsockname(), place(2))
        rows_are(rows)
        again = door_of(STREAM, place())
        rows_are([*rows, row_of(again, "LSTN")])


@test
def users():
    """UID is the socket's owner, not its holder."""
    with Netns():
        mine = sock_of(STREAM)
        with user(PLAIN_USER):
            theirs = sock_of(STREAM)
        given = sock_of(DGRAM)
        os.fchown(given.fileno(), PLAIN_USER + 7, 0)
        rows_are([row_of(mine, "UNCN"), row_of(theirs, "UNCN", uid=PLAIN_USER),
                  row_of(given, "UNCN", uid=PLAIN_USER + 7)])


@test
def cgroups():
    """CGROUP is the one that the socket was made in."""
    path = f"{unixowner.CGROUPS}/unixowner.{os.getpid()}"
    before = unixowner.own_cgroup()
    check(before, "no cgroup v2")
    with Netns():
        old = sock_of(STREAM)
        os.mkdir(path)
        try:
            with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
            new = sock_of(STREAM)
            inode = os.stat(path).st_ino
            check(inode != before, "the same cgroup")
            rows_are([row_of(old, "UNCN", cgroup=before),
                      row_of(new, "UNCN", cgroup=inode)])
            new.close()
        finally:
            with open(f"{unixowner.CGROUPS}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
            os.rmdir(path)


@test
def several_holders():
    """Duplicates, children, both ends in processes of their own."""
    def keep_one():
        two.close()
        return one, None

    with Netns():
        one, two = socket.socketpair()
        rows = [row_of(one, "ESTB", peer=two), row_of(two, "ESTB", peer=one)]
        again = os.dup(one.fileno())
        with Holder(keep_one) as child:
            one.close()
            rows_are([rows[0]._replace(fd=again), rows[1],
                      *(rows[0]._replace(pid=child.pid, fd=fd)
                        for fd in (rows[0].fd, again))])


@test
def shared_table():
    """Processes that share their descriptors: the first has them, the rest name it."""
    with Netns():
        one, two = socket.socketpair()
        stay, end = os.pipe()
        pids = sharers(2, stay)
        try:
            rows = [row_of(one, "ESTB", peer=two), row_of(two, "ESTB", peer=one)]
            lines = tables.slurp(FILE).decode("ascii").splitlines()[1:]
            equal([line.split()[3] for line in lines[2:]], [f"={os.getpid()}"] * 2,
                  "who shares")
            rows_are(rows + [row._replace(pid=pid) for pid in pids for row in rows])
        finally:
            os.close(end)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


@test
def other_network_namespace():
    """A socket is its namespace's, wherever its holder and its peer are."""
    with Netns() as here, Netns() as there:
        with here:
            door = door_of(STREAM, place())
        with there:
            client = to(door)       # a path is the same in both
        # Made by connect(), it is of that one's namespace.
        server = door.accept()[0]
        with here:
            rows_are([row_of(door, "LSTN")])
        with there:
            rows_are([row_of(client, "ESTB", peer=server),
                      row_of(server, "ESTB", peer=client)])


@test
def in_flight():
    """Under way nobody holds it; then whoever received it does."""
    def receive():
        fds = socket.recv_fds(theirs, 1, 1)[1]
        return fds, fds[0]

    def case(kind):
        one, two = socket.socketpair(socket.AF_UNIX, kind)
        stat = pair_stat(one)
        flying = nobodys(row_of(one, stat, peer=two))
        socket.send_fds(ours, [b"x"], [one.fileno()])
        one.close()
        rows_are([flying, row_of(two, stat)._replace(peer=flying.inode)])
        with Holder(receive) as holder:
            rows = [row for row in unixowner.compare() if row.inode == flying.inode]
            equal(rows, [flying._replace(pid=holder.pid, comm=unixowner.comm_of(),
                                         fd=holder.answer)], "received")
        until(lambda: len(unixowner.read()) == 1, "its end")
    ours, theirs = socket.socketpair()      # of another namespace
    each_kind(case)


@test
def flying_in_circles():
    """Two that are in flight in each other are nobody's until they are collected."""
    with Netns():
        one, two = socket.socketpair()
        rows = [nobodys(row_of(one, "ESTB", peer=two)),
                nobodys(row_of(two, "ESTB", peer=one))]
        socket.send_fds(one, [b"x"], [one.fileno()])
        socket.send_fds(two, [b"x"], [two.fileno()])
        one.close()
        two.close()
        got = unixowner.read()
        check(all(row in rows for row in got), "rows", got)

        def collected():
            # Each close of a Unix socket may begin a collection.
            sock_of(STREAM).close()
            return not unixowner.read()
        until(collected, "the end of both")


# Who may know whom: as ss says, run with the same rights.

def street(count):
    """@count Unix sockets of every sort, or a few more, with names of odd bytes."""
    kept = []
    me = os.getpid()
    number = 0
    while len(kept) < count:
        number += 1
        for kind in KINDS.values():
            kept += socket.socketpair(socket.AF_UNIX, kind)
            kept.append(sock_of(kind))
            kept.append(sock_of(kind, b"\0\xe9\1\\%d.%d\0" % (me, number)))
        log = sock_of(DGRAM, place(f"{number}.log"))
        kept += [log, *(to(log) for _ in range(3)), sock_of(DGRAM, "")]
        door = door_of(STREAM, place(number))
        clients = [to(door) for _ in range(10)]
        kept += [door, *clients, *(door.accept()[0] for _ in range(9))]
        os.unlink(door.getsockname())
    return kept


def resident(count, uid=0, dumpable=1):
    """A process of @uid with its own street."""
    def setup():
        if uid:
            become(uid, dumpable)
        return street(count), None
    return Holder(setup)


class Town:
    """Processes of three users, one of them not dumpable, in a namespace."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        self.netns = Netns()
        self.netns.__enter__()
        self.who = {"root": resident(self.count),
                    "user": resident(self.count, PLAIN_USER),
                    "other": resident(self.count, OTHER_USER),
                    "shy": resident(self.count, PLAIN_USER, dumpable=0)}
        self.kept = street(self.count)
        with contextlib.ExitStack() as stack:
            # Of nobody: under way. They stay until the other end is closed.
            self.carriers = socket.socketpair()
            for _ in range(3):
                sock = stack.enter_context(sock_of(STREAM))
                socket.send_fds(self.carriers[0], [b"x"], [sock.fileno()])
        return self

    def __exit__(self, *_):
        for process in self.who.values():
            process.close()
        self.netns.__exit__()

    def names(self, rows):
        """Those of them who hold @rows."""
        pids = {process.pid: name for name, process in self.who.items()}
        return {pids[row.pid] for row in rows if row.pid in pids}

    def seen_by(self, how, ss_how=None):
        """Who is seen by a program that setpriv starts so, and the same by ss."""
        def output(how, *command):
            return subprocess.run(["setpriv", *how, *command], check=True,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL).stdout
        rows = unixowner.parse(output(how, "cat", FILE).decode("ascii"))
        unixowner.agree_with_ss(rows, unixowner.ss(output(ss_how or how, "ss", "-xapOH")))
        return self.names(rows)


EVERYBODY = {"root", "user", "other", "shy"}
PLAIN = [f"--reuid={PLAIN_USER}", f"--regid={PLAIN_USER}", "--clear-groups"]


def plain_with(*caps):
    """How to start a program as a user with capabilities."""
    caps = ",".join(f"+{cap}" for cap in caps)
    return [*PLAIN, f"--inh-caps={caps}", f"--ambient-caps={caps}"]


@test
def thousands():
    """5,000 sockets as ss -xap knows them, for each kind of reader."""
    def inside_userns():
        enter_userns(f"0 0 1\n5 {PLAIN_USER} 2", f"0 0 1\n5 {PLAIN_USER} 2")
        rows = unixowner.compare()
        return town.names(rows)

    def inside_pidns():
        with resident(100) as mine:
            rows = unixowner.compare()
            equal({row.pid for row in rows if row.pid}, {os.getpid(), mine.pid},
                  "holders")

    with Town(scaled(1000, 200)) as town:
        rows = unixowner.compare()
        note(f"{len(rows)} rows, {sum(row.pid is None for row in rows)} of nobody")
        check(len(rows) >= 5 * town.count, "too few rows")
        equal(town.names(rows), EVERYBODY, "seen by root")
        equal(town.seen_by(PLAIN), {"user"}, "a user")
        # ss has to enter the directories, too.
        equal(town.seen_by(plain_with("sys_ptrace"),
                           plain_with("sys_ptrace", "dac_read_search")),
              EVERYBODY, "with CAP_SYS_PTRACE only")
        equal(town.seen_by(plain_with("net_admin")), {"user"}, "with CAP_NET_ADMIN only")
        equal(town.seen_by(["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]),
              set(), "root without CAP_SYS_PTRACE")
        for sock in town.kept:
            sock.close()
        equal(in_child(inside_userns), set(), "root of a user namespace")
        in_child(in_pidns, inside_pidns)


@test
def ways_to_read():
    """However it is read, it is the same file."""
    with Netns():
        kept = street(scaled(1500, 1500, long=6000))
        with Holder(lambda: (None, None)):
            whole = tables.slurp(FILE)
            note(f"{whole.count(10)} lines, {len(whole)} bytes")
            check(len(whole) > 200000, "too few rows to test with")
            every_way(FILE, whole)
        del kept


@test
def more_in_a_bucket_than_in_a_batch():
    """Names that all have one hash, of sockets of which nobody holds the half."""
    count = 1500
    with Netns():
        # What names are hashed by is a sum of their 16-bit words.
        kept = [sock_of(STREAM, b"\0" + struct.pack("=4H", 0, number, 0xffff - number, 7))
                for number in range(1, count + 1)]
        carriers = []
        for start in range(0, count // 2, 50):      # as many as may be in flight
            carriers.append(socket.socketpair(socket.AF_UNIX, DGRAM))
            socket.send_fds(carriers[-1][0], [b"x"],
                            [sock.fileno() for sock in kept[start:start + 50]])
        names = {sock.getsockname() for sock in kept}
        for sock in kept[:count // 2]:
            sock.close()
        rows = [row for row in unixowner.compare() if row.path]
        equal(len(rows), count, "rows")
        equal({row.path for row in rows}, names, "names")
        equal(sum(row.pid is None for row in rows), count // 2, "of nobody")


@test
def unloaded_while_open():
    """A file left open reads EIO once the module has gone."""
    with Netns():
        kept = street(200)
        fds = unload_while_open(FILE)
        unixowner.compare()
        for fd in fds:
            os.close(fd)
        del kept


@test
def namespace_ends_while_open():
    """An open file keeps what it tells, and no namespace longer than itself."""
    netns = Netns()
    ip(f"link add sensor type veth peer name inside netns {netns.path}")
    with netns:
        sock = sock_of(STREAM, b"\0x")
        rows = [row_of(sock, "UNCN")]
        fd = os.open(FILE, os.O_RDONLY)
    sock.close()
    netns.close()
    equal(unixowner.parse(tables.drain(fd, 77).decode("ascii")), rows, "rows")
    os.close(fd)
    gone("sensor")


@test
def killed_while_it_opens():
    """An open that takes long ends when its process is killed."""
    def opener():
        while True:
            os.close(os.open(FILE, os.O_RDONLY))

    with Netns():
        kept = street(2000)
        for _ in range(20000):
            os.dup(kept[0].fileno())
        with Holder(lambda: (None, None)):
            for number in range(scaled(8, 4, long=100)):
                pid = os.fork()
                if not pid:
                    opener()
                # Somewhere in the middle.
                with Workers(lambda stopping: [stopping() for _ in range(100 * number)]):
                    pass
                os.kill(pid, signal.SIGKILL)
                equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
                      -signal.SIGKILL, "its end")
        del kept


@test
def one_users_files():
    """What it keeps is counted for its opener, together with sockowner's."""
    def many():
        become(PLAIN_USER)
        kept, counts = [], []
        for path in FILE, owner.FILE:
            try:
                while len(kept) < 3000:
                    kept.append(os.open(path, os.O_RDONLY))
            except OSError as error:
                equal(error.errno, errno.EMFILE, "the one too many of", path)
            counts.append(len(kept))
        for fd in kept:
            os.close(fd)
        return counts

    with Netns(), life.module("owner_mb=1"):
        kept = [sock_of(DGRAM, b"\0" + b"%107d" % number) for number in range(1000)]
        kept += [socket.socket(socket.AF_INET, DGRAM) for _ in range(500)]
        counts = [in_child(many) for _ in range(2)]
        # A socket and its name take 160 bytes at least, and not thrice that.
        check((1 << 20) / 480000 < counts[0][0] < (1 << 20) / 160000, counts, "files")
        check(counts[0][1] < (1 << 20) / 48000, counts, "files, of both kinds")
        equal(counts[1], counts[0], "files, the second time")
        del kept


@test
def opening_without_memory():
    """open() when memory is short: an error, or a file that says the truth."""
    with Faults() as faults, Netns():
        kept = street(60)
        with Holder(lambda: (None, None)):
            wanted = tables.slurp(FILE)

            def whole(fd):
                text = tables.drain(fd, 4096)
                check(text == wanted, difference(text, wanted))
                os.close(fd)
            worked, failed = each_allocation(faults,
                                             lambda: os.open(FILE, os.O_RDONLY), whole)
            note(f"{failed} opens failed, {worked} worked")
            check(failed >= 6, "too few allocations in an open")
        del kept


# What goes on while it is read.

def makes_pairs(stopping):
    """Pairs and duplicates of them, by the hundred."""
    made = 0
    while not stopping():
        socks = []
        for kind in KINDS.values():
            for _ in range(15):
                socks += socket.socketpair(socket.AF_UNIX, kind)
        fds = [os.dup(sock.fileno()) for sock in socks]
        random.shuffle(socks)
        for sock in socks:
            sock.close()
        for fd in fds:
            os.close(fd)
        made += len(socks)
    return made


def binds_and_connects(stopping):
    """Listeners and who connects, of whom some are never accepted; names that come."""
    made = 0
    while not stopping():
        door = door_of(STREAM, b"\0door.%d.%d" % (os.getpid(), made))
        clients = [to(door) for _ in range(30)]
        servers = [door.accept()[0] for _ in range(20)]
        late = [sock_of(DGRAM) for _ in range(20)]
        for sock in late:
            sock.bind("")
        for sock in late[2:]:
            sock.connect(late[0].getsockname())
            sock.connect(late[1].getsockname())
        for sock in [door, *clients, *servers, *late]:
            sock.close()
        made += 90
    return made


def passes_on(stopping):
    """Sockets that are sent, taken out or not, or in flight in themselves."""
    made = 0
    while not stopping():
        ours, theirs = socket.socketpair()
        for _ in range(10):
            socks = [*socket.socketpair(), sock_of(DGRAM, "")]
            socket.send_fds(ours, [b"x"], [sock.fileno() for sock in socks])
            for sock in socks:
                sock.close()
            made += len(socks)
        for _ in range(5):
            for fd in socket.recv_fds(theirs, 1, 3)[1]:
                os.close(fd)
        socket.send_fds(ours, [b"x"], [theirs.fileno(), ours.fileno()])
        ours.close()
        theirs.close()
    return made


def forks_and_leaves(stopping):
    """Children that inherit sockets, get a table of their own, and are killed."""
    made = 0
    while not stopping():
        socks = [*socket.socketpair(), sock_of(STREAM)]
        children = []
        for number in range(6):
            pid = os.fork()
            if not pid:
                if number % 2:
                    LIBC.unshare(CLONE_FILES)
                    socks[number % 3].close()
                signal.pause()
            children.append(pid)
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for sock in socks:
            sock.close()
        made += len(children)
    return made


def reader(size, passes, wanted, uid=0):
    """A reader that makes @passes, and finds the rows @wanted in each."""
    def read(_):
        for fd in mine:
            os.close(fd)
        if uid:
            become(uid)
        for number in range(passes):
            rows = unixowner.read(size=size)
            where = f"pass {number} by {size}:"
            equal([row for row in rows if row.pid == pid], [] if uid else wanted,
                  where, "those that stay")
            stay = [row.inode for row in rows if row.inode in inodes and not row.pid]
            equal(sorted(stay), sorted(inodes) if uid else [], where, "rows of nobody")
        return passes
    pid = os.getpid()
    mine = [row.fd for row in wanted]
    inodes = {row.inode for row in wanted}
    return read


@test
def storms():
    """All of this at once, while 4 readers open and read."""
    with Netns():
        ends = [socket.socketpair() for _ in range(30)]
        kept = [door_of(STREAM, place(number)) for number in range(30)]
        wanted = [row_of(sock, "ESTB", peer=other) for pair in ends
                  for sock, other in (pair, pair[::-1])]
        wanted = sorted(wanted + [row_of(sock, "LSTN") for sock in kept],
                        key=lambda row: row.fd)
        passes = scaled(10, 3, long=200)
        with Workers(makes_pairs, binds_and_connects, passes_on,
                     forks_and_leaves) as churners:
            with Workers(*(reader(size, passes, wanted, uid) for size, uid in
                           ((512, 0), (4096, PLAIN_USER), (1 << 17, 0), (1 << 20, 0)))):
                churners.rounds(2)
        note(f"made: {churners.answers}")
        del kept


@test
def unloaded_meanwhile():
    """The module comes and goes while readers open and read, and sockets come and go."""
    read = tries(unixowner.read)
    with Netns():
        kept = street(400)
        with Workers(read, read, makes_pairs) as workers:
            workers.rounds(1)
            for number in range(scaled(4, 2, long=50)):
                rmmod()
                insmod()
                workers.rounds(number)      # for some to be in the middle of it
        passes, errors = map(sum, zip(*workers.answers[:2]))
        check(passes, passes, "passes,", errors, "errors")
        del kept
