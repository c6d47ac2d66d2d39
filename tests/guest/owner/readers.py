# SPDX-License-Identifier: GPL-2.0
"""sockowner names those processes whose descriptors its opener could list.

Every kind of reader reads the same sockets and finds the same holders there as
ss, lsof and its own look at /proc/PID/fd.
"""

import os
import socket
import subprocess
import threading

from lib import owner, tables
from lib.ktap import Skip, cases, check, equal, in_child, scaled, test
from lib.owner import Holder, become, compare, held, in_pidns, own_proc, rest
from lib.world import (LIBC, PLAIN_USER, Netns, connect, enter_userns, listener,
                       own_mounts, pair, udp, user)

INET, INET6 = socket.AF_INET, socket.AF_INET6
OTHER_USER = PLAIN_USER + 1


def some():
    """Sockets of each kind that all tools know, and how many they are."""
    kept = []
    for family in INET, INET6:
        kept += [listener(family), udp(family), *pair(family)]
        kept.append(udp(family, connected_to=kept[-3]))
    return kept


def holder(uid=0, dumpable=1, close=()):
    """A process of @uid that holds some sockets."""
    def setup():
        # What it was born with isn't its own.
        for fd in close:
            os.close(fd)
        if uid:
            become(uid, dumpable)
        return some(), None
    return Holder(setup)


class Town:
    """Processes of three users, one of them not dumpable, in a namespace."""

    def __enter__(self):
        self.netns = Netns()
        self.netns.__enter__()
        self.kept = [udp(INET)]     # of this process, and of no other
        close = [sock.fileno() for sock in self.kept]
        self.who = {
            "root": holder(close=close),
            "user": holder(PLAIN_USER, close=close),
            "other": holder(OTHER_USER, close=close),
            "shy": holder(PLAIN_USER, dumpable=0, close=close),
        }
        # Sockets that nobody holds: not accepted, in TIME_WAIT.
        door = listener(INET)
        self.kept += [door, connect(door)]
        client, server = pair(INET)
        client.close()
        server.close()
        self.inodes = {os.fstat(sock.fileno()).st_ino for sock in self.kept}
        return self

    def __exit__(self, *_):
        for process in self.who.values():
            process.close()
        self.netns.__exit__()

    def leave(self):
        """Close what a child of whoever made this has got from it."""
        for sock in self.kept:
            sock.close()

    def seen(self):
        """Who is seen, by name, in a child of whoever made this, "me"."""
        self.leave()
        rows = compare()
        check(self.inodes <= {row.inode for row in rows}, "sockets are missing")
        pids = {process.pid: name for name, process in self.who.items()}
        pids[os.getppid()] = "me"
        return {pids[row.pid] for row in held(rows)}


EVERYBODY = {"me", "root", "user", "other", "shy"}


@test
def root():
    """Root sees all."""
    with Town() as town:
        equal(in_child(town.seen), EVERYBODY, "seen")
        rows = owner.read()
        equal(sorted(row.stat for row in rest(rows)), ["ESTB", "TIMW"],
              "rows of nobody")


def as_user(function, uid=PLAIN_USER, dumpable=1):
    """Run @function as @uid, without what it inherits from this process."""
    def inside():
        become(uid, dumpable)
        return function()
    return in_child(inside)


@test
def plain_user():
    """A user sees their own processes, but not the one that isn't dumpable."""
    def look():
        town.leave()
        rows = compare()
        equal({row.pid for row in held(rows)}, {town.who["user"].pid}, "seen")
        others = [row for row in rest(rows) if row.inode]
        check(len(others) > 20, "rows of others", others)
        equal({row.held for row in others}, {"-"}, "HELD of others")
        equal(sorted(row.held for row in rest(rows) if not row.inode), ["queue", "tw"],
              "HELD of nobody's")

    with Town() as town:
        as_user(look)


@test
def its_own_sockets():
    """A process always sees itself, also when it isn't dumpable."""
    def look():
        town.leave()
        mine = some()
        rows = owner.read()
        pids = {row.pid for row in held(rows)}
        check(os.getpid() in pids, "not itself")
        check(town.who["shy"].pid not in pids, "another that isn't dumpable")
        equal({row.inode for row in held(rows) if row.pid == os.getpid()},
              {os.fstat(sock.fileno()).st_ino for sock in mine}, "own sockets")
        del mine

    with Town() as town:
        for dumpable in 1, 0:
            as_user(look, dumpable=dumpable)


@test
def capabilities():
    """What it takes to see others: CAP_SYS_PTRACE, and nothing else does."""
    def opened_by(*setpriv):
        done = subprocess.run(["setpriv", *setpriv, "cat", owner.FILE],
                              check=True, text=True, stdout=subprocess.PIPE)
        return {names.get(row.pid) for row in held(owner.parse(done.stdout))}

    with Town() as town:
        names = {process.pid: name for name, process in town.who.items()}
        names[os.getpid()] = "me"
        plain = [f"--reuid={PLAIN_USER}", f"--regid={PLAIN_USER}",
                 "--clear-groups"]
        equal(opened_by(*plain), {"user"}, "a user")
        equal(opened_by(*plain, "--inh-caps=+sys_ptrace",
                        "--ambient-caps=+sys_ptrace"), EVERYBODY,
              "a user with CAP_SYS_PTRACE")
        equal(opened_by(*plain, "--inh-caps=+dac_override,+dac_read_search,"
                        "+net_admin,+sys_admin",
                        "--ambient-caps=+dac_override,+dac_read_search,"
                        "+net_admin,+sys_admin"), {"user"},
              "a user with other capabilities")
        # Root's other processes have a capability that this one hasn't.
        equal(opened_by("--bounding-set=-sys_ptrace",
                        "--inh-caps=-sys_ptrace"), set(),
              "root without CAP_SYS_PTRACE")


@test
def pid_namespace():
    """In a PID namespace: its processes, by its numbers, and no others."""
    def inside():
        town.leave()
        with holder() as mine, holder(PLAIN_USER) as theirs:
            rows = compare()
            equal({row.pid for row in held(rows)}, {mine.pid, theirs.pid},
                  "seen")
            check(mine.pid < 10, "PID", mine.pid)
            check(len([row for row in rest(rows) if row.inode]) > 20,
                  "rows of those outside")

            def look():
                rows = compare()
                equal({row.pid for row in held(rows)}, {theirs.pid}, "seen")
            as_user(look)

    with Town() as town:
        in_child(in_pidns, inside)


@test
def pid_namespace_from_outside():
    """From outside its processes have the numbers that they have outside."""
    def start():
        os.unshare(os.CLONE_NEWPID)
        return Holder(lambda: (some(), None)), None

    with Netns(), Holder(start):
        rows = compare()
        pids = {row.pid for row in held(rows)}
        equal(len(pids), 1, "processes", pids)
        with open(f"/proc/{pids.pop()}/status", encoding="ascii") as file:
            numbers = [line.split()[1:] for line in file
                       if line.startswith("NSpid")]
        equal(len(numbers[0]), 2, "PID namespaces")
        equal(numbers[0][1], "1", "PID inside")


@test
def the_mount_it_is_opened_in():
    """Opened in another PID namespace's procfs it shows that one's numbers."""
    def keep_outer():
        own_mounts()
        os.makedirs("/tmp/outer", exist_ok=True)
        subprocess.run(["mount", "--rbind", "/proc", "/tmp/outer"], check=True)
        in_pidns(inside)

    def inside():
        # Not outer/net: that is a link to self, who has no number out there.
        with Holder(lambda: (some(), None)) as mine:
            rows = owner.read(f"/tmp/outer/{outer.pid}/net/sockowner")
            pids = {row.pid for row in held(rows)}
            check(outer.pid in pids and mine.pid not in pids, "seen", pids)
            rows = owner.read()
            pids = {row.pid for row in held(rows)}
            check(mine.pid in pids and outer.pid not in pids, "seen", pids)

    with Netns(), Holder(lambda: (some(), None)) as outer:
        in_child(keep_outer)


@test
def a_part_of_procfs():
    """Where only a part of procfs is mounted nobody could be listed."""
    def inside():
        own_mounts()
        os.makedirs("/tmp/part", exist_ok=True)
        subprocess.run(["mount", "--bind", f"/proc/{os.getpid()}/net",
                        "/tmp/part"], check=True)
        rows = owner.read("/tmp/part/sockowner")
        equal(held(rows), [], "held")
        equal({row.inode for row in rows},
              {row.inode for row in owner.read()}, "sockets")

    with Netns():
        kept = some()
        in_child(inside)
        del kept


@test
def user_namespace():
    """Root of a user namespace: who is in there, and nobody outside."""
    def inside():
        town.leave()
        enter_userns(f"0 0 1\n5 {PLAIN_USER} 2", f"0 0 1\n5 {PLAIN_USER} 2")
        with holder() as mine, holder(5) as theirs, \
             holder(6, dumpable=0) as shy:
            rows = compare()
            # The shy one's memory is of the program from outside.
            check(shy.pid not in {row.pid for row in held(rows)}, "shy")
            equal({row.pid for row in held(rows)}, {mine.pid, theirs.pid},
                  "seen by its root")

            def look():
                rows = compare()
                equal({row.pid for row in held(rows)}, {theirs.pid}, "seen")
            as_user(look, 5)

    with Town() as town:
        in_child(inside)


@test
def capability_of_a_user_namespace():
    """CAP_SYS_PTRACE there is not enough to enter another's directory."""
    def inside():
        town.leave()
        enter_userns(f"0 0 1\n5 {PLAIN_USER} 2", f"0 0 1\n5 {PLAIN_USER} 2")
        with holder(5) as theirs:
            pids = {row.pid for row in held(owner.read())}
            check(theirs.pid in pids, "not seen by its root")
            text = subprocess.run(
                ["setpriv", "--reuid=6", "--regid=6", "--clear-groups",
                 "--inh-caps=+sys_ptrace", "--ambient-caps=+sys_ptrace", "cat",
                 owner.FILE], check=True, text=True,
                stdout=subprocess.PIPE).stdout
            equal(held(owner.parse(text)), [], "seen by another")

    with Town() as town:
        in_child(inside)


@test
def mounted_over():
    """Who mounts a directory over /proc/PID learns nothing of that process."""
    def inside():
        town.leave()
        become(PLAIN_USER)
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNS)
        for process in town.who.values():
            over = f"/proc/{process.pid}".encode()
            if LIBC.mount(b"/proc/self", over, None, owner.MS_BIND, None):
                raise Skip("this kernel lets nobody mount there")
        check(os.listdir(f"/proc/{process.pid}/fd"), "nothing there")
        equal(held(owner.read("/proc/self/net/sockowner")), [], "seen")

    with Town() as town:
        in_child(inside)


@test
def user_namespace_of_a_user():
    """A user who made a user namespace is no more to others than before."""
    def inside():
        town.leave()
        become(PLAIN_USER)
        os.unshare(os.CLONE_NEWUSER)    # with no maps at all
        rows = compare(with_lsof=False)
        equal(held(rows), [], "seen")

    with Town() as town:
        in_child(inside)


HIDING = ("hidepid=0", "hidepid=1", "hidepid=2", "hidepid=4", "subset=pid",
          "hidepid=2,gid=7")


@test
def hidepid():
    """Mounts that hide processes, and what they hide here: the same."""
    def mounted(options, uid):
        town.leave()
        own_proc(options)
        if uid:
            become(uid)
        path = "/proc/self/net/sockowner"
        try:
            rows = owner.read(path)
        except FileNotFoundError as error:
            raise Skip("this kernel's subset has no network") from error
        owner.same({(row.pid, row.fd, row.inode) for row in held(rows)},
                   owner.listed(rows), "/proc/PID/fd")
        if "subset" not in options:
            compare()
        return sorted(name for name, process in town.who.items()
                      if process.pid in {row.pid for row in held(rows)})

    def one(case):
        options, name = case.split(" for ")
        uid = {"root": 0, "user": PLAIN_USER}[name]
        equal(in_child(mounted, options, uid),
              ["user"] if uid else ["other", "root", "shy", "user"], "seen")

    with Town() as town:
        cases([f"{options} for {name}" for options in HIDING
               for name in ("root", "user")], one)


@test
def more_processes_than_links():
    """A user with more processes than one walk may follow links."""
    with Netns():
        def setup():
            become(PLAIN_USER)
            return udp(INET), None
        many = [Holder(setup) for _ in range(scaled(100, 50))]
        try:
            def look():
                rows = compare()
                equal({row.pid for row in held(rows)},
                      {process.pid for process in many}, "seen")
            as_user(look)
        finally:
            for process in many:
                process.close()


@test
def thread_of_another():
    """Threads are judged as their process is."""
    def setup(dumpable):
        become(PLAIN_USER, dumpable)
        ready, kept = threading.Event(), []

        def work():
            LIBC.unshare(owner.CLONE_FILES)
            kept.append(udp(INET))
            ready.set()
            threading.Event().wait()
        threading.Thread(target=work, daemon=True).start()
        ready.wait()
        return kept, kept[0].fileno()

    def look():
        return {row.pid for row in held(owner.read())}

    with Netns(), Holder(setup, 1) as open_one, Holder(setup, 0) as shy:
        equal(look(), {open_one.pid, shy.pid}, "seen by root")
        equal(as_user(look), {open_one.pid}, "seen by the user")
        equal(as_user(look, OTHER_USER), set(), "seen by another")


@test
def opened_plain_read_by_root():
    """What a plain user opened names whom they may know, whoever reads it."""
    with Town() as town:
        def theirs():
            become(PLAIN_USER)
            fd = os.open(owner.FILE, os.O_RDONLY)
            socket.send_fds(there, [b"x"], [fd])
        here, there = socket.socketpair()
        in_child(theirs)
        fd = socket.recv_fds(here, 1, 1)[1][0]
        for size in 1000, 1 << 20:      # also from the start again
            rows = owner.parse(tables.drain(fd, size).decode("ascii"))
            equal({row.pid for row in held(rows)} & {
                process.pid for process in town.who.values()},
                  {town.who["user"].pid}, "seen")
            os.lseek(fd, 0, os.SEEK_SET)


@test
def opened_by_root_read_plain():
    """What root opened names all, whoever it is handed to."""
    def look():
        rows = owner.parse(tables.drain(fd, 4096).decode("ascii"))
        return {row.pid for row in held(rows)}

    with Town() as town:
        fd = os.open(owner.FILE, os.O_RDONLY)
        seen = as_user(look)
        equal({process.pid for process in town.who.values()} - seen, set(),
              "not seen")
        # And it is of the moment when it was opened.
        os.lseek(fd, 0, os.SEEK_SET)
        town.who["user"].close()
        equal(look(), seen, "seen later")


@test
def effective_user_counts():
    """Not who started the opener, but who it is when it opens."""
    def look():
        town.leave()
        os.setegid(PLAIN_USER)
        with user(PLAIN_USER):
            rows = owner.read()
        pids = {row.pid for row in held(rows)}
        return {name for name, process in town.who.items()
                if process.pid in pids}

    with Town() as town:
        equal(in_child(look), {"user"}, "seen")
