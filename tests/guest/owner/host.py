# SPDX-License-Identifier: GPL-2.0
"""sockowner as the host's administrator sees it: the sockets of all namespaces.

What there is of each namespace must be what is in its own file, and what ss says there.
"""

import contextlib
import os
import socket
import subprocess

from guest.owner.readers import some
from lib import owner, tables
from lib.ktap import Workers, check, equal, in_child, note, scaled, test, until
from lib.owner import FILE, Holder, become, held, own_proc, rest
from lib.world import (PLAIN_USER, Netns, alone, connect, enter_userns, gone, ip, listener,
                       lo_up, pair, sysctl, udp)

INET, INET6 = socket.AF_INET, socket.AF_INET6


def by_netns(rows):
    """The rows of each namespace."""
    found = {}
    for row in rows:
        found.setdefault(row.netns, []).append(row)
    return found


def town():
    """Sockets of all kinds, held and not; in the namespace that this process is in."""
    kept = some()
    door = listener(INET)
    kept += [door, connect(door)]
    for sock in pair(INET6):
        sock.close()
    ours, theirs = socket.socketpair()
    with udp(INET) as flying:
        socket.send_fds(ours, [b"x"], [flying.fileno()])
    return kept + [ours, theirs]


@contextlib.contextmanager
def own_tables():
    """What is made here has hash tables of its own, as far as the kernel can do that."""
    names = [name for name in ("net/ipv4/tcp_child_ehash_entries",
                               "net/ipv4/udp_child_hash_entries")
             if os.path.exists(f"/proc/sys/{name}")]
    for name in names:
        sysctl(name, 512)
    try:
        yield names
    finally:
        for name in names:
            sysctl(name, 0)


@test
def all_namespaces():
    """Fifty of them, of which some have their own hash tables: each as from inside."""
    alone()
    count = scaled(50, 7)
    netnses = [Netns() for _ in range(count - 5)]
    with own_tables() as names:
        netnses += [Netns() for _ in range(5)]
    note(f"tables of their own: {names}")
    kept = town()
    numbers = [owner.netns_of()]
    for netns in netnses:
        with netns:
            kept += town()
            numbers.append(owner.netns_of())
    # Once more if they differ: a TIME_WAIT entry may end meanwhile.
    for tries in range(3):
        host = by_netns(owner.read())
        inside = {}
        for number, netns in zip(numbers[1:], netnses):
            with netns:
                inside[number] = owner.read()
        if tries == 2 or all(sorted(map(repr, host[number])) == sorted(map(repr, rows))
                             for number, rows in inside.items()):
            break
    for number, rows in inside.items():
        equal(sorted(map(repr, host[number])), sorted(map(repr, rows)), "rows of one")
        equal({row.held for row in rows}, {"fd", "queue", "tw", "-"}, "HELD")
    equal(set(host), set(numbers), "namespaces")
    # All are the same; ss takes its time for each.
    for netns in netnses[::10] + netnses[-5:]:
        with netns:
            owner.compare(with_lsof=False)
    mine = [row for row in held(host[numbers[0]]) if row.pid == os.getpid() and
            row.stat != "CLSD"]
    owner.same({(row.pid, row.fd, row.proto, row.local, owner.bare(row.foreign),
                 row.cgroup, row.inode) for row in mine},
               {found for found in owner.ss() if found[0] == os.getpid()}, "ss")
    del kept


@test
def who_sees_all():
    """It takes CAP_NET_ADMIN on the host, and to know the holders CAP_SYS_PTRACE."""
    def seen(*setpriv):
        text = subprocess.run(["setpriv", *setpriv, "cat", FILE], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        rows = by_netns(owner.parse(text))
        return [(number in rows, any(row.pid == holder.pid for row in rows.get(number, [])))
                for number in (here, there)]

    def with_caps(*names):
        caps = ",".join(f"+{name}" for name in names)
        return [f"--inh-caps={caps}", f"--ambient-caps={caps}"]

    def root_inside():
        """Root of a user namespace, who has a network namespace, too."""
        enter_userns()
        os.unshare(os.CLONE_NEWNET)
        lo_up()
        mine = udp(INET)
        equal({row.netns for row in owner.read("/proc/self/net/sockowner")},
              {owner.netns_of()}, "its own file")
        rows = owner.read(f"/proc/{os.getppid()}/net/sockowner")
        equal({row.netns for row in rows}, {here}, "the host's file")
        del mine

    def setup():
        kept = some()
        with netns:
            kept += some()
        return kept, None

    here = owner.netns_of()
    netns = Netns()
    with netns:
        there = owner.netns_of()
    plain = [f"--reuid={PLAIN_USER}", f"--regid={PLAIN_USER}", "--clear-groups"]
    both, neither = (True, True), (False, False)
    with Holder(setup) as holder:
        equal(seen(), [both, both], "root")
        equal(seen(*plain), [(True, False), neither], "a user")
        equal(seen(*plain, *with_caps("net_admin")), [(True, False), (True, False)],
              "a user with CAP_NET_ADMIN")
        equal(seen(*plain, *with_caps("sys_ptrace")), [both, neither],
              "a user with CAP_SYS_PTRACE")
        equal(seen(*plain, *with_caps("net_admin", "sys_ptrace")), [both, both],
              "a user with both")
        equal(seen("--bounding-set=-net_admin", "--inh-caps=-net_admin"),
              [both, neither], "root without CAP_NET_ADMIN")
        in_child(root_inside)
        # By who has opened it, not by who reads.
        fd = os.open(FILE, os.O_RDONLY)

        def look():
            become(PLAIN_USER)
            return owner.parse(tables.drain(fd, 4096).decode("ascii"))
        equal({row.netns for row in held(in_child(look))
               if row.pid == holder.pid}, {here, there}, "opened by root")
        os.close(fd)
        with netns:
            equal({row.netns for row in owner.read()}, {there}, "from another namespace")


@test
def container():
    """One with all namespaces of its own, as seen from inside and from the host."""
    path = f"{owner.CGROUPS}/knetstat.{os.getpid()}"

    def inside(tell):
        own_proc()
        os.unshare(os.CLONE_NEWCGROUP | os.CLONE_NEWNET)
        lo_up()
        kept = some()
        rows = owner.compare(with_lsof=False)
        equal({row.pid for row in held(rows)}, {os.getpid()}, "seen inside")
        check(os.getpid() < 5, "PID inside", os.getpid())
        return (kept, tell), [tuple(row) for row in rows]

    def setup():
        with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        enter_userns(f"0 {PLAIN_USER} 10", f"0 {PLAIN_USER} 10")
        os.setgid(0)
        os.setuid(0)
        owner.prctl(owner.PR_SET_DUMPABLE, 1)
        os.unshare(os.CLONE_NEWPID)
        return Holder(inside, None), None

    def setup_told():
        one, _ = setup()
        return one, one.answer

    os.mkdir(path)
    try:
        with Holder(setup_told) as holder:
            theirs = [owner.Row(*row) for row in holder.answer]
            cgroup = os.stat(path).st_ino
            equal({row.cgroup for row in theirs}, {cgroup}, "CGROUP inside")
            rows = [row for row in owner.read() if row.cgroup == cgroup]
            equal(len(rows), len(theirs), "rows outside")
            pids = {row.pid for row in rows}
            equal(len(pids), 1, "holders outside")
            pid = pids.pop()
            equal({row.netns for row in rows}, {owner.netns_of(pid)}, "NETNS outside")
            equal([row._replace(pid=theirs[0].pid, uid=row.uid - PLAIN_USER)
                   for row in rows], theirs, "the same from outside")
        until(lambda: not [row for row in owner.read() if row.cgroup == cgroup], "its end")
    finally:
        until(lambda: not tables.slurp(f"{path}/cgroup.procs"), "an empty cgroup")
        os.rmdir(path)


@test
def ends_while_open():
    """An open file keeps what it tells, and no namespace."""
    netns = Netns()
    ip(f"link add sensor type veth peer name inside netns {netns.path}")
    with netns:
        kept = [udp(INET), listener(INET6)]
        number = owner.netns_of()
        rows = [owner.row_of(kept[0], "UNCN"), owner.row_of(kept[1], "LSTN")]
    fd = os.open(FILE, os.O_RDONLY)
    for sock in kept:
        sock.close()
    netns.close()
    gone("sensor")
    got = owner.parse(tables.drain(fd, 77).decode("ascii"))
    equal([row for row in got if row.netns == number], rows, "rows")
    os.close(fd)


def makes_and_ends(stopping):
    """Namespaces by the hundred, with sockets in them that end with them."""
    made = 0
    while not stopping():
        for _ in range(5):
            pid = os.fork()
            if not pid:
                os.unshare(os.CLONE_NEWNET)
                lo_up()
                kept = [udp(INET), listener(INET6), *pair(INET)]
                kept[2].close()
                os._exit(len(kept) - 4)
            os.waitpid(pid, 0)
            made += 1
    return made


@test
def come_and_go():
    """Namespaces begin and end by the hundred while 4 readers open and read."""
    alone()
    netnses, wanted, kept = [], [], []
    for _ in range(10):
        netnses.append(Netns())
        with netnses[-1]:
            kept += [udp(INET), listener(INET6)]
            wanted += [owner.row_of(kept[-2], "UNCN"), owner.row_of(kept[-1], "LSTN")]
    pid = os.getpid()
    stay = {row.netns for row in wanted}

    def reader(size):
        def read(_):
            for sock in kept:
                sock.close()
            for _ in range(scaled(10, 4, long=200)):
                rows = owner.read(size=size)
                mine = [row for row in rows if row.netns in stay]
                equal([row for row in mine if row.pid == pid], wanted, "those that stay")
                equal(rest(mine), [], "of nobody")
        return read

    with Workers(makes_and_ends, makes_and_ends) as makers:
        makers.rounds(1)
        with Workers(*map(reader, (512, 4096, 1 << 17, 1 << 20))):
            makers.rounds(3)
    note(f"made: {makers.answers}")
    for sock in kept:
        sock.close()
    for netns in netnses:
        netns.close()
    # Nothing has been kept of any.
    alone()
