# SPDX-License-Identifier: GPL-2.0
"""sockowner names who holds a socket, however they came to, or that nobody does.

Every case has a network namespace of its own, and the file there must have just
the rows that the case says, each of them whole.
"""

import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import threading

from lib import kcm, owner, tables, uring
from lib.ktap import Skip, cases, check, equal, in_child, test, until
from lib.owner import (CLONE_FILES, Holder, agree_with_kernel, bare, comm_of, compare, nobodys,
                       on, row_of, rows_are, same, text_of)
from lib.tables import endpoint
from lib.wire import ACK, OURS, Wire
from lib.world import (IPPROTO_MPTCP as MPTCP, LIBC, PLAIN_USER, Netns, connect,
                       enter_userns, ip, join, listener, modprobe, pair, sysctl, udp,
                       user)

INET, INET6 = socket.AF_INET, socket.AF_INET6
FAMILIES = {"IPv4": INET, "IPv6": INET6}


def each_family(case):
    """Run @case(family) for both, each in a namespace of its own."""
    def one(name):
        with Netns():
            case(FAMILIES[name])
    cases(FAMILIES, one)


@test
def one_of_each():
    """Listeners, connections, datagram sockets; bound, connected or neither."""
    def case(family):
        door = listener(family)
        client = connect(door)
        server = door.accept()[0]
        one, two = udp(family), udp(family)
        two.connect(one.getsockname())
        fresh = socket.socket(family)
        bound = socket.socket(family)
        bound.bind((door.getsockname()[0], 0))
        silent = socket.socket(family, socket.SOCK_DGRAM)
        rows_are([row_of(door, "LSTN"), row_of(client, "ESTB"),
                  row_of(server, "ESTB"), row_of(one, "UNCN"),
                  row_of(two, "ESTB"), row_of(fresh, "CLSD"),
                  row_of(bound, "CLSD"), row_of(silent, "UNCN")])
    each_family(case)


@test
def nothing_else():
    """Sockets of other families and protocols have no row."""
    with Netns():
        kept = [socket.socket(socket.AF_UNIX), socket.socketpair(),
                socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
                os.pipe(), os.memfd_create("x")]
        rows_are([])
        del kept


def row_of_other(sock, proto, local, foreign, stat="UNCN"):
    """The Row that there must be of a socket that is neither TCP nor UDP."""
    return owner.Row(0, os.getpid(), comm_of(), sock.fileno(), proto, stat, local, foreign,
                     "fd", owner.cgroup_of(), owner.netns_of(),
                     os.fstat(sock.fileno()).st_ino)


@test
def raw():
    """Raw sockets: the protocol is the port, as in /proc/net/raw and ss."""
    with Netns():
        one, two, three = (socket.socket(INET, socket.SOCK_RAW, proto)
                           for proto in (1, socket.IPPROTO_TCP, socket.IPPROTO_RAW))
        six = socket.socket(INET6, socket.SOCK_RAW, socket.IPPROTO_UDP)
        bound = socket.socket(INET6, socket.SOCK_RAW, 58)
        two.bind(("127.0.0.1", 0))
        two.connect(("127.0.0.2", 0))
        three.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        bound.bind(("::1", 0))
        rows = [row_of_other(one, "raw4", "0.0.0.0:1", "0.0.0.0:*"),
                row_of_other(two, "raw4", "127.0.0.1:6", "127.0.0.2:*", "ESTB"),
                row_of_other(three, "raw4", "0.0.0.0%lo:255", "0.0.0.0:*"),
                row_of_other(six, "raw6", ":::17", ":::*"),
                row_of_other(bound, "raw6", "::1:58", ":::*")]
        rows_are(rows)
        same({(row.stat, bare(row.local), row.foreign, row.inode) for row in rows},
             {(row.stat, row.local, row.foreign, row.inode)
              for name in ("raw", "raw6") for row in tables.read_kernel(name)},
             "/proc/net/raw")
        same({(row.fd, row.proto, row.local, row.foreign, row.cgroup, row.inode)
              for row in rows},
             # It calls them by what it takes for the name of the protocol.
             {(fd, "raw4" if proto.endswith("4") else "raw6", *more)
              for _, fd, proto, *more in owner.ss("-w")}, "ss")
        for sock in one, two, three, six, bound:
            sock.close()
        rows_are([])


@test
def ping():
    """The sockets of a ping without privileges: the port is its number."""
    with Netns():
        sysctl("net/ipv4/ping_group_range", "0 0")
        socks = [socket.socket(INET, socket.SOCK_DGRAM, 1),
                 socket.socket(INET6, socket.SOCK_DGRAM, 58)]
        socks[0].bind(("127.0.0.1", 4711))
        socks[1].connect(("::1", 0))
        rows = [row_of_other(socks[0], "icmp4", "127.0.0.1:4711", "0.0.0.0:*"),
                row_of_other(socks[1], "icmp6", text_of(socks[1], socks[1].getsockname()),
                             "::1:*", "ESTB")]
        rows_are(rows)
        same({(row.stat, row.local, row.foreign, row.inode) for row in rows},
             {(row.stat, row.local, row.foreign, row.inode)
              for name in ("icmp", "icmp6") for row in tables.read_kernel(name)},
             "/proc/net/icmp")
        # Those that no visible process holds are not listed: no table is looked through.
        ours, theirs = socket.socketpair()
        socket.send_fds(ours, [b"x"], [socks[0].fileno()])
        socks[0].close()
        rows_are(rows[1:])
        del theirs


@test
def packet():
    """Packet sockets: what they hear, and where, as ss says."""
    with Netns():
        socks = [socket.socket(socket.AF_PACKET, kind, socket.htons(proto))
                 for kind, proto in ((socket.SOCK_RAW, 3), (socket.SOCK_DGRAM, 0x806),
                                     (socket.SOCK_RAW, 0), (socket.SOCK_RAW, 0x88cc))]
        socks[1].bind(("lo", 0x806))
        socks[0].bind(("lo", 3))
        rows = [row_of_other(sock, "packet", local, "*:*") for sock, local in
                zip(socks, ("*:lo", "2054:lo", "0:*", "35020:*"))]
        rows_are(rows)
        index = str(socket.if_nametoindex("lo"))
        kernels = set()
        for line in tables.slurp("/proc/net/packet").decode("ascii").splitlines()[1:]:
            fields = line.split()
            proto = int(fields[3], 16)
            kernels.add((f"{'*' if proto == 3 else proto}:"
                         f"{'lo' if fields[4] == index else '*'}", int(fields[8])))
        same({(row.local, row.inode) for row in rows}, kernels, "/proc/net/packet")
        text = subprocess.run(["ss", "-0anpH"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        said = sorted(line.split()[4] for line in text.splitlines())
        wanted = [re.sub(r"^(\d+):", r"[\1]:", row.local) for row in rows]
        equal(said, sorted(wanted), "ss")


@test
def both_families():
    """An IPv6 socket that also takes IPv4, and what keeps it from that."""
    def only(sock):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)

    def protos(socks):
        for sock, stat, proto in socks:
            equal(row_of(sock, stat).proto, proto, "PROTO")
        rows_are([row_of(sock, stat) for sock, stat, _ in socks])

    with Netns():
        door = listener(INET6, address="::")
        mapped = connect(door, address="127.0.0.1", family=INET)
        one, two = udp(INET6, address="::"), udp(INET6, address="::")
        socks = [(door, "LSTN", "tcp46"),
                 (listener(INET6, address="::", setup=only), "LSTN", "tcp6"),
                 (listener(INET6, address="::1"), "LSTN", "tcp6"),
                 (listener(INET, address="0.0.0.0"), "LSTN", "tcp4"),
                 (mapped, "ESTB", "tcp4"), (door.accept()[0], "ESTB", "tcp6"),
                 (one, "UNCN", "udp46"), (two, "UNCN", "udp46"),
                 (udp(INET6, address="::", setup=only), "UNCN", "udp6"),
                 (udp(INET, address="0.0.0.0"), "UNCN", "udp4"),
                 (socket.socket(INET6), "CLSD", "tcp46"),
                 (socket.socket(INET6, socket.SOCK_DGRAM), "UNCN", "udp46")]
        protos(socks)
        # lsof writes mapped addresses as IPv4 ones.
        compare(with_lsof=False)
        # And it goes: by a connection, by an option.
        two.connect(("::1", 9))
        socks[7] = (two, "ESTB", "udp6")
        only(socks[-1][0])
        socks[-1] = (socks[-1][0], "UNCN", "udp6")
        protos(socks)


def with_device(row, device, foreign=False):
    """@row of a socket that is bound to an interface."""
    return row._replace(local=on(device, row.local),
                        foreign=on(device, row.foreign) if foreign else row.foreign)


@test
def interfaces():
    """What a socket is bound to stands behind its address; and what has gone."""
    def bind_to(device):
        return lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                                            device)

    with Netns():
        ip("link add ii*0 type dummy", "link add other type dummy", "link set ii*0 up",
           "link set other up")
        socks = [listener(INET, setup=bind_to(b"lo")), udp(INET, setup=bind_to(b"lo")),
                 udp(INET6, address="::", setup=bind_to(b"ii*0")),
                 udp(INET, address="0.0.0.0", setup=bind_to(b"other"))]
        devices = ["lo", "lo", "ii*0", "other"]

        def rows():
            return [with_device(row_of(sock, "UNCN" if number else "LSTN"), device)
                    for number, (sock, device) in enumerate(zip(socks, devices))]
        rows_are(rows())
        compare()
        index = socket.if_nametoindex("other")
        ip("link set ii*0 down", "link set ii*0 name \xb5", "link delete other")
        devices[2:] = ["\\302\\265", str(index)]
        rows_are(rows())
        # Named as it was called when the file was opened.
        fd = os.open(owner.FILE, os.O_RDONLY)
        text = tables.drain(fd, 4096)
        ip("link set \xb5 name later")
        os.lseek(fd, 0, os.SEEK_SET)
        equal(tables.drain(fd, 4096), text, "read again")
        os.close(fd)
        bind_to(b"")(socks[0])
        devices[2] = "later"
        rows_are([row_of(socks[0], "LSTN"), *rows()[1:]])


@test
def link_local():
    """Addresses of a link: with the interface, on both sides, whatever is left of it."""
    with Netns() as here, Netns() as there:
        join(here, there, (["fe80::1/64"], ["fe80::2/64"]))
        with there:
            door = socket.socket(INET6)
            door.bind(("fe80::2", 0, 0, socket.if_nametoindex("veth")))
            door.listen()
        with here:
            link = socket.if_nametoindex("veth")
            client, asking = socket.socket(INET6), socket.socket(INET6, socket.SOCK_DGRAM)
            client.connect(("fe80::2", door.getsockname()[1], 0, link))
            asking.bind(("fe80::1", 0, 0, link))
            rows = [with_device(row_of(client, "ESTB"), "veth", True),
                    with_device(row_of(asking, "UNCN"), "veth")]
            rows_are(rows)
            compare()
        with there:
            mine = with_device(row_of(door, "LSTN"), "veth")
            child = mine._replace(stat="ESTB", foreign=rows[0].local)
            rows_are([mine, nobodys(child, "queue", inode=0, uid=owner.rest(
                owner.read())[0].uid)])
            server = door.accept()[0]
            rows_are([mine, with_device(row_of(server, "ESTB"), "veth", True)])
            compare()
            server.close()
        client.close()
        with there:
            rows_are([mine, nobodys(child, "tw", stat="TIMW", inode=0, cgroup=None,
                                    uid=0)])


@test
def users():
    """UID is the socket's owner, not its holder."""
    with Netns():
        mine = udp(INET)
        with user(PLAIN_USER):
            theirs = udp(INET)
            door = listener(INET)
        given = udp(INET6)
        os.fchown(given.fileno(), PLAIN_USER + 7, 0)
        rows_are([row_of(mine, "UNCN"),
                  row_of(theirs, "UNCN", uid=PLAIN_USER),
                  row_of(door, "LSTN", uid=PLAIN_USER),
                  row_of(given, "UNCN", uid=PLAIN_USER + 7)])


@test
def dup():
    """Each descriptor of a socket has a row."""
    def case(family):
        sock = udp(family)
        more = [os.dup(sock.fileno()) for _ in range(3)]
        high = 5000
        os.dup2(sock.fileno(), high)
        row = row_of(sock, "UNCN")
        rows_are([row, *(row._replace(fd=fd) for fd in [*more, high])])
        for fd in [*more, high]:
            os.close(fd)
        rows_are([row])
    each_family(case)


@test
def forked():
    """A child has what its parent has, and keeps it."""
    def case(family):
        sock = listener(family)
        fd = sock.fileno()
        row = row_of(sock, "LSTN")
        with Holder(lambda: (None, None)) as child:
            rows_are([row, row._replace(pid=child.pid)])
            sock.close()
            rows_are([row._replace(pid=child.pid, fd=fd)])
        rows_are([])
    each_family(case)


@test
def names():
    """COMM is the process's name now, escaped as /proc/mounts escapes."""
    with Netns():
        sock = udp(INET)
        row = row_of(sock, "UNCN")
        for name, shown in ((b"a b\tc\\d", "a\\040b\\011c\\134d"),
                            (b"fifteen letters", "fifteen\\040letters"),
                            (b"-", "\\055"), (b"\xff\n", "\\377\\012"),
                            (b"", "-")):
            owner.prctl(owner.PR_SET_NAME, ctypes.c_char_p(name))
            if shown != "-":
                rows_are([row._replace(comm=shown)])
            else:       # a name of nothing looks like none
                text = tables.slurp(owner.FILE).decode("ascii")
                equal(text.splitlines()[1].split()[1:4],
                      [str(row.pid), "-", str(row.fd)], "nameless")


@test
def executed():
    """A descriptor that is inherited over exec, and one that isn't."""
    with Netns():
        kept, closed = listener(INET), listener(INET6)
        os.set_inheritable(kept.fileno(), True)
        row, other = row_of(kept, "LSTN"), row_of(closed, "LSTN")
        with subprocess.Popen(["sleep", "1000"], close_fds=False) as child:
            try:
                until(lambda: comm_of(child.pid) == "sleep", "exec")
                rows_are([row, other,
                          row._replace(pid=child.pid, comm="sleep")])
            finally:
                child.kill()


@test
def shared_table():
    """Processes that share one table each have a row."""
    with Netns():
        sock = udp(INET)
        stay, end = os.pipe()
        # By the syscall itself: fork() doesn't share.
        pid = LIBC.syscall(owner.SYS_CLONE, CLONE_FILES | signal.SIGCHLD, 0, 0,
                           0, 0)
        if not pid:
            os.read(stay, 1)
            os._exit(0)
        later = udp(INET6)
        try:
            rows = [row_of(sock, "UNCN"), row_of(later, "UNCN")]
            rows_are(rows + [row._replace(pid=pid) for row in rows])
        finally:
            os.write(end, b"x")
            os.waitpid(pid, 0)
        rows_are(rows)


def private_thread(family, count, ready, stay, socks):
    """A thread's work: leave the shared table, make sockets, and stay."""
    check(LIBC.unshare(CLONE_FILES) == 0, "unshare")
    socks += [(sock, row_of(sock, "UNCN"))
              for sock in (udp(family) for _ in range(count))]
    ready.set()
    stay.wait()
    for sock, _ in socks:
        sock.close()


@test
def thread_with_its_own_table():
    """Threads that left the shared table: each descriptor once, in order."""
    def case(family):
        common = [udp(family), listener(family)]
        rows = [row_of(common[0], "UNCN"), row_of(common[1], "LSTN")]
        stay = threading.Event()
        threads, all_socks = [], []
        plain = threading.Thread(target=stay.wait)
        plain.start()
        for count in 1, 3, 2:
            ready, socks = threading.Event(), []
            threads.append(threading.Thread(
                target=private_thread,
                args=(family, count, ready, stay, socks)))
            threads[-1].start()
            ready.wait()
            all_socks.append(socks)
        late = udp(family)
        rows.append(row_of(late, "UNCN"))
        rows += [row for socks in all_socks for _, row in socks]
        try:
            rows_are(rows)
        finally:
            stay.set()
            for thread in [plain, *threads]:
                thread.join()
        rows_are([rows[0], rows[1], row_of(late, "UNCN")])
    each_family(case)


@test
def leader_that_ended():
    """The main thread has ended, another one lives and holds."""
    def setup():
        sock = udp(INET)
        row = row_of(sock, "UNCN")
        stay = threading.Event()
        threading.Thread(target=stay.wait).start()
        return sock, row

    def inside(tell):
        kept, row = setup()
        os.write(tell, repr(tuple(row)).encode())
        LIBC.syscall(owner.SYS_EXIT, 0)     # of this thread alone
        del kept

    with Netns():
        told, tell = os.pipe()
        pid = os.fork()
        if not pid:
            inside(tell)
            os._exit(1)
        try:
            row = owner.Row(*eval(os.read(told, 1000).decode()))
            until(lambda: tables.slurp(f"/proc/{pid}/stat").split()[2] == b"Z",
                  "the end of the main thread")
            equal(row.pid, pid, "PID")
            rows_are([row])
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        rows_are([])


@test
def other_network_namespace():
    """A process in another namespace holds a socket of this one."""
    with Netns() as here, Netns() as there:
        def move():
            with here:
                kept = [udp(INET), listener(INET6)]
                rows = [row_of(kept[0], "UNCN"), row_of(kept[1], "LSTN")]
            kept.append(udp(INET))      # and one that is not of this one
            rows.append(row_of(kept[2], "UNCN"))
            os.setns(there.fd, os.CLONE_NEWNET)
            return kept, rows
        with Holder(move) as holder:
            with here:
                rows_are(holder.answer[:2])
            with there:
                rows_are(holder.answer[2:])


@test
def passed_on():
    """In flight nobody holds it; then whoever received it does."""
    def case(family):
        ours, theirs = socket.socketpair()
        sock = listener(family)
        row = row_of(sock, "LSTN")
        socket.send_fds(ours, [b"x"], [sock.fileno()])
        rows_are([row])
        sock.close()
        rows_are([nobodys(row)])

        def receive():
            fds = socket.recv_fds(theirs, 1, 1)[1]
            return fds, fds[0]
        with Holder(receive) as holder:
            rows_are([row._replace(pid=holder.pid, fd=holder.answer)])
        rows_are([])
    each_family(case)


@test
def passed_and_lost():
    """In flight in a socket that is closed: then it is gone altogether."""
    with Netns():
        ours, theirs = socket.socketpair()
        sock = udp(INET)
        row = row_of(sock, "UNCN")
        socket.send_fds(ours, [b"x"], [sock.fileno()])
        sock.close()
        rows_are([nobodys(row)])
        ours.close()
        theirs.close()
        until(lambda: not owner.read(), "its end")


@test
def unaccepted():
    """A connection that nobody has accepted is nobody's, until somebody does."""
    def case(family):
        door = listener(family)
        client = connect(door)
        mine = [row_of(door, "LSTN"), row_of(client, "ESTB")]
        waiting = nobodys(mine[1], "queue", local=mine[1].foreign,
                          foreign=mine[1].local, inode=0)
        got = owner.rest(owner.read())
        equal(len(got), 1, "rows of nobody", got)
        rows_are([*mine, waiting._replace(uid=got[0].uid)])
        server = door.accept()[0]
        rows_are([*mine, row_of(server, "ESTB")])
    each_family(case)


@test
def time_wait():
    """What is left of a connection that was closed first here."""
    def case(family):
        with user(PLAIN_USER):
            client, server = pair(family)
            row = row_of(client, "TIMW")
            client.close()
            server.close()
        rows_are([nobodys(row, "tw", uid=0, inode=0, cgroup=None)])
    each_family(case)


@test
def time_wait_in_a_user_namespace():
    """Its UID is 0 as in /proc/net/tcp, also where root has no number."""
    def inside():
        enter_userns(f"0 {PLAIN_USER} 1", f"0 {PLAIN_USER} 1")
        rows = agree_with_kernel()
        equal({row.stat: row.uid for row in rows},
              {"TIMW": 0, "UNCN": 65534, "LSTN": 0}, "UIDs")

    with Netns():
        client, server = pair(INET)
        client.close()
        server.close()
        kept = udp(INET)
        with user(PLAIN_USER):
            door = listener(INET)
        in_child(inside)
        del kept, door


def wired(case):
    """Run @case(wire, family) for both families."""
    def one(name):
        with Netns() as netns:
            wire = Wire(netns)
            try:
                case(wire, FAMILIES[name])
            finally:
                wire.close()
    cases(FAMILIES, one)


@test
def syn_recv():
    """A handshake that the peer never finishes."""
    def case(wire, family):
        with user(PLAIN_USER):
            door = listener(family, address=OURS[family])
        ghost = wire.ghost(family).knock(door.getsockname()[1])
        until(lambda: len(owner.read()) == 2, "the request")
        row = row_of(door, "LSTN", uid=PLAIN_USER)
        foreign = endpoint(socket.inet_pton(family, ghost.address), ghost.port)
        rows_are([row, nobodys(row, "syn", stat="SYNR", foreign=foreign, inode=0,
                               cgroup=None)])
    wired(case)


@test
def fast_open():
    """A connection that has begun with data, before the handshake's end."""
    def case(wire, family):
        sysctl("net/ipv4/tcp_fastopen", 0x203)      # without a cookie
        door = socket.socket(family)
        door.setsockopt(socket.IPPROTO_TCP, 23, 16)     # TCP_FASTOPEN
        door.bind((OURS[family], 0))
        door.listen(16)
        ghost = wire.ghost(family).knock(door.getsockname()[1], b"early data")
        foreign = endpoint(socket.inet_pton(family, ghost.address), ghost.port)
        row = row_of(door, "LSTN")
        child = nobodys(row, "queue", stat="SYNR", foreign=foreign, inode=0)
        until(lambda: len(owner.read()) == 2, "the child")
        rows_are([row, child._replace(uid=owner.rest(owner.read())[0].uid)])
        server = door.accept()[0]
        got = [r for r in owner.read() if r.fd == server.fileno()]
        equal([(r.stat, r.foreign, r.inode) for r in got],
              [("SYNR", foreign, os.fstat(server.fileno()).st_ino)], "accepted")
    wired(case)


@test
def orphan():
    """Closed by its process, and the peer does not acknowledge that."""
    def case(wire, family):
        door = listener(family, address=OURS[family])
        ghost = wire.ghost(family).open(door.getsockname()[1])
        server = door.accept()[0]
        row = row_of(server, "FNW1")
        server.close()
        got = owner.rest(owner.read())
        equal(len(got), 1, "rows of nobody", got)
        rows_are([row_of(door, "LSTN"),
                  nobodys(row, "orphan", uid=got[0].uid, inode=0)])
        ghost.expect(ACK)
        ghost.send(ACK)
        until(lambda: owner.rest(owner.read())[0].stat == "FNW2", "FIN_WAIT2")
        # A socket at first, and then what is kept like one in TIME_WAIT.
        sysctl("net/ipv4/tcp_fin_timeout", 60)
        equal({got.held for got in owner.rest(owner.read())}, {"orphan"}, "HELD")
    wired(case)


@test
def lingering():
    """One whose process is in close(), and waits until all has been sent."""
    def case(wire, family):
        door = listener(family, address=OURS[family])
        wire.ghost(family).open(door.getsockname()[1])
        server = door.accept()[0]
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
        server.send(b"never acknowledged")
        listens, row = row_of(door, "LSTN"), row_of(server, "FNW1")
        go, start = os.pipe()
        pid = os.fork()
        if not pid:
            door.close()
            os.read(go, 1)
            server.close()
            os._exit(0)
        server.close()
        os.write(start, b".")
        until(lambda: {row.stat for row in owner.read()} == {"LSTN", "FNW1"}, owner.read)
        rows_are([listens, nobodys(row, "orphan")])
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        equal([(row.held, row.inode) for row in owner.rest(owner.read())], [("orphan", 0)],
              "when it has gone")
    wired(case)


@test
def the_kernels_own():
    """Sockets that the kernel made for itself have an inode and no holder."""
    def one(name):
        module, add, remove = KERNEL_SOCKETS[name]
        modprobe(module)
        with Netns():
            try:
                ip(*add)
            except AssertionError as error:
                raise Skip(str(error)) from error
            rows = agree_with_kernel()
            check(rows and not owner.held(rows), "rows", rows)
            equal({row.held for row in rows}, {"kernel"}, "HELD")
            ip(*remove)
            until(lambda: not owner.read(), owner.read)
    cases(KERNEL_SOCKETS, one)


KERNEL_SOCKETS = {
    "fou": ("fou", ("fou add port 5555 ipproto 4", "fou add port 5556 ipproto 41 -6"),
            ("fou del port 5555", "fou del port 5556 -6")),
    "l2tp": ("l2tp_netlink", (
        "l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 encap udp "
        "local 127.0.0.1 remote 127.0.0.1 udp_sport 5000 udp_dport 6000",),
             ("l2tp del tunnel tunnel_id 1",)),
}


@test
def taken_over_by_the_kernel():
    """A program's socket that the kernel goes on with when the program has closed it."""
    with Netns():
        kcm.need()
        client, server = pair(INET)
        mine, row = row_of(client, "ESTB"), row_of(server, "ESTB")
        multiplexor = kcm.attach(server, 4)
        rows_are([mine, row])
        server.close()
        rows_are([mine, nobodys(row, "kernel")])
        multiplexor.close()
        until(lambda: not [row for row in owner.read() if row.held == "kernel"], owner.read)


@test
def registered_only():
    """What an io_uring has and no descriptor refers to is nobody's."""
    with Netns():
        sock = udp(INET)
        row = row_of(sock, "UNCN")
        ring = uring.Ring()
        ring.register(sock.fileno())
        rows_are([row])
        sock.close()
        rows_are([nobodys(row)])
        ring.close()
        until(lambda: not owner.read(), owner.read)


def mptcp_or_skip():
    """Skip where there is no MPTCP."""
    try:
        sysctl("net/mptcp/enabled", 1)
        socket.socket(INET, socket.SOCK_STREAM, MPTCP).close()
    except OSError as error:
        raise Skip("no MPTCP") from error


@test
def mptcp():
    """An MPTCP socket is its holder's, and its subflow has no other row."""
    def case(family):
        mptcp_or_skip()
        fresh = socket.socket(family, socket.SOCK_STREAM, MPTCP)
        door = listener(family, proto=MPTCP)
        rows = [row_of(fresh, "CLSD"), row_of(door, "LSTN")]
        rows_are(rows)
        client = connect(door, proto=MPTCP)
        server = door.accept()[0]
        client.send(b"x")
        server.recv(1)
        rows += [row_of(client, "ESTB"), row_of(server, "ESTB")]
        rows_are(rows)
        fd = os.dup(client.fileno())
        rows_are([*rows, rows[2]._replace(fd=fd)])
        os.close(fd)
    each_family(case)


@test
def mptcp_falls_back():
    """An MPTCP listener that a plain TCP client connects to, and vice versa."""
    def case(family):
        mptcp_or_skip()
        door, plain = listener(family, proto=MPTCP), listener(family)
        client = connect(door, proto=0)
        server = door.accept()[0]
        other = connect(plain, proto=MPTCP)
        peer = plain.accept()[0]
        rows_are([row_of(door, "LSTN"), row_of(plain, "LSTN"),
                  *(row_of(sock, "ESTB")
                    for sock in (client, server, other, peer))])
    each_family(case)


@test
def mptcp_subflows():
    """A connection over several addresses has a row for each, as in ss."""
    with Netns():
        mptcp_or_skip()
        ip("address add 10.5.0.1/32 dev lo", "address add 10.5.0.2/32 dev lo",
           "address add 10.5.0.3/32 dev lo")
        try:
            ip("mptcp limits set subflows 4 add_addr_accepted 4",
               "mptcp endpoint add 10.5.0.2 dev lo subflow",
               "mptcp endpoint add 10.5.0.3 dev lo subflow")
        except AssertionError as error:
            raise Skip(str(error)) from error
        door = listener(INET, address="10.5.0.1", proto=MPTCP)
        client = connect(door, address="10.5.0.1", proto=MPTCP)
        server = door.accept()[0]
        client.send(b"x")
        server.recv(1)
        fds = (client.fileno(), server.fileno())

        def settled():
            rows = [row for row in owner.read() if row.fd in fds]
            return len(rows) == 6 and all(row.stat == "ESTB" for row in rows)
        until(settled, lambda: f"three subflows: {owner.read()}")
        rows = owner.read()
        equal(owner.rest(rows), [], "rows of nobody")
        owner.compare(with_lsof=False)
        for fd, ends in ((fds[0], "local"), (fds[1], "foreign")):
            equal(sorted(bare(getattr(row, ends)).rsplit(":", 1)[0] for row in rows
                         if row.fd == fd),
                  ["10.5.0.1", "10.5.0.2", "10.5.0.3"], "addresses")
        agree_with_kernel()
