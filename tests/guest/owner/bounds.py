# SPDX-License-Identifier: GPL-2.0
"""What a hostile user makes of sockowner: no more memory than a user may have, no more
tracks than one open() leaves, nothing of what a process has hidden."""

import contextlib
import ctypes
import errno
import os
import random
import resource
import select
import signal
import socket
import struct
import threading
import time
from concurrent import futures

from lib import life, owner, syscalls, tables
from lib.ktap import Skip, check, equal, in_child, note, scaled, test
from lib.owner import CLONE_FILES, FILE, Holder, become, prctl
from lib.world import LIBC, PLAIN_USER, Netns, enter_userns, udp

INET = socket.AF_INET
CGROUPS = "/sys/fs/cgroup"
ANOTHER_USER = PLAIN_USER + 1


def sharers(count, stay):
    """@count processes that share all descriptors with this one."""
    pids = []
    for _ in range(count):
        # By the syscall itself: fork() doesn't share.
        pid = LIBC.syscall(owner.SYS_CLONE, CLONE_FILES | signal.SIGCHLD, 0, 0, 0, 0)
        if not pid:
            os.read(stay, 1)
            os._exit(0)
        pids.append(pid)
    return pids


def tenant(socks, processes):
    """A plain user with unbound sockets, and processes that share them all."""
    become(PLAIN_USER)
    kept = [socket.socket(INET, socket.SOCK_DGRAM) for _ in range(socks)]
    stay, end = os.pipe()
    return (kept, stay, end), sharers(processes, stay)


def end_sharers(holder):
    """They are not the holder's to take along."""
    for pid in holder.answer:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def cgroup(name):
    """A memory cgroup; its files are read by name from what this gives."""
    path = f"{CGROUPS}/{name}"
    try:
        with open(f"{CGROUPS}/cgroup.subtree_control", "w", encoding="ascii") as file:
            file.write("+memory")
        os.mkdir(path)
    except OSError as error:
        raise Skip(f"no memory cgroups: {error}") from error
    try:
        yield path
    finally:
        os.rmdir(path)


def current(path):
    """What a memory cgroup is charged with, in bytes."""
    with open(f"{path}/memory.current", encoding="ascii") as file:
        return int(file.read())


def charged(path, uid, opens=1):
    """The bytes that the open files of user @uid charge the cgroup @path with."""
    def opener():
        with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        reader = os.open(f"{path}/memory.current", os.O_RDONLY)
        if uid:
            become(uid)
        os.close(os.open(FILE, os.O_RDONLY))
        before = int(os.pread(reader, 100, 0))
        fds = [os.open(FILE, os.O_RDONLY) for _ in range(opens)]
        return int(os.pread(reader, 100, 0)) - before, len(os.pread(fds[0], 1 << 20, 0))
    return in_child(opener)


@test
def shared_tables():
    """A table that a crowd shares costs what it costs once, and a row for each."""
    socks, processes = scaled(3000, 600), scaled(400, 100, long=1450)
    with Netns(), cgroup("shared") as path, Holder(tenant, socks, processes) as holder:
        try:
            for uid in PLAIN_USER, 0:
                size, _ = charged(path, uid)
                note(f"user {uid}: {size} bytes for {socks} sockets, {processes} processes")
                check(size < socks * 88 + (1 << 20), "the file holds", size, "bytes")
            lines = tables.slurp(FILE).decode("ascii").splitlines()[1:]
            equal(len(lines), socks + processes, "lines")
            equal({line.split()[1] for line in lines[:socks]}, {str(holder.pid)}, "first")
            equal([line.split()[1:4:2] for line in lines[socks:]],
                  [[str(pid), f"={holder.pid}"] for pid in sorted(holder.answer)], "rest")
        finally:
            end_sharers(holder)


# As CDLL, but the interpreter stays locked by who calls: so it is in a child, too.
LOCKED = ctypes.PyDLL(None, use_errno=True)
SYS_CLONE3 = syscalls.number("clone3")


def earlier_sharer(stay):
    """A process that shares this thread's descriptors, and has a lower PID."""
    for pid in range(2, os.getpid()):
        tid = ctypes.c_int(pid)
        args = struct.pack("=10Q", CLONE_FILES, 0, 0, 0, signal.SIGCHLD, 0, 0, 0,
                           ctypes.addressof(tid), 1)
        made = LOCKED.syscall(SYS_CLONE3, args, len(args))
        if not made:
            os.read(stay, 1)
            os._exit(0)
        if made > 0:
            return made
        equal(ctypes.get_errno(), errno.EEXIST, "clone3")
    raise Skip("all lower PIDs are in use")


@test
def tables_in_turns():
    """Threads that have one shared table after another: each is named once."""
    def setup():
        stay, end = os.pipe()
        forever, kept = threading.Event(), [end]
        workers = [futures.ThreadPoolExecutor(1) for _ in range(2)]

        def begin():
            check(LIBC.unshare(CLONE_FILES) == 0, "unshare")
            kept.append(udp(INET))
            return earlier_sharer(stay)
        pids = [worker.submit(begin).result() for worker in workers]
        for _ in range(3):
            for worker in workers:
                # Made by the worker, it has the worker's table.
                worker.submit(threading.Thread(target=forever.wait).start).result()
        return (kept, workers), pids

    with Netns(), Holder(setup) as holder:
        try:
            rows = [line.split() for line in
                    tables.slurp(FILE).decode("ascii").splitlines()[1:]]
            check(max(holder.answer) < holder.pid, "PIDs", holder.answer, holder.pid)
            equal({int(row[1]) for row in rows if row[3].isdigit()},
                  set(holder.answer), "who has rows of its own")
            equal(sorted(row[3] for row in rows if row[1] == str(holder.pid)),
                  sorted(f"={pid}" for pid in holder.answer), "whom it shares with")
        finally:
            end_sharers(holder)


@test
def one_users_files():
    """What one user's open files hold together is bounded; others have theirs."""
    def many(kept, most=3000):
        """Opens until it may not, or @most times; how often that was."""
        error = None
        while not error and len(kept) < most:
            try:
                kept.append(os.open(FILE, os.O_RDONLY))
            except OSError as failed:
                error = failed.errno
        return len(kept), error

    def from_namespaces(depth):
        become(PLAIN_USER)
        inside = PLAIN_USER
        for _ in range(depth):
            os.unshare(os.CLONE_NEWUSER)
            for name, text in (("setgroups", "deny"), ("uid_map", f"0 {inside} 1"),
                               ("gid_map", f"0 {inside} 1")):
                with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                    file.write(text)
            inside = 0
        return many([])

    def as_user(uid):
        def opener():
            if uid:
                become(uid)
            kept = []
            first = many(kept)
            for fd in kept:
                os.close(fd)
            # All of it has been given back.
            equal(many([]), first, "opened again")
            return first
        return in_child(opener)

    with Netns(), life.module("owner_mb=1"):
        kept = [udp(INET) for _ in range(2000)]
        alone, error = as_user(PLAIN_USER)
        equal(error, errno.EMFILE, "the one too many")
        # A file holds 80 bytes of each socket at least, and not twice that.
        check((1 << 20) / 350000 < alone < (1 << 20) / 160000, alone, "files")
        own = []
        opened = Holder(lambda: (become(PLAIN_USER), (own, many(own)))[1])
        with opened:
            equal(opened.answer, (alone, errno.EMFILE), "files that stay open")
            equal(as_user(PLAIN_USER), (0, errno.EMFILE), "from another process")
            for depth in 1, 2:
                equal(in_child(from_namespaces, depth), (0, errno.EMFILE),
                      "from user namespaces of his,", depth, "deep")
            equal(as_user(ANOTHER_USER), (alone, errno.EMFILE), "another user's")
            equal(in_child(lambda: (enter_userns(), many([]))[1])[1], errno.EMFILE,
                  "who is in a namespace of root's")
            equal(in_child(lambda: many([], 10 * alone)), (10 * alone, None), "root's")
        equal(as_user(PLAIN_USER), (alone, errno.EMFILE), "when they are closed")
        del kept


@test
def bad_bounds():
    """Numbers that cannot be meant are refused in one line."""
    for value in "0", "1048577", "-1", "x", "":
        try:
            with life.module(f"owner_mb={value}"):
                pass
            raise AssertionError(f"owner_mb={value} was taken")
        except OSError as error:
            check(error.errno in (errno.EINVAL, errno.ERANGE), error)


def audit_message(kind, payload=b""):
    """A message to the kernel's audit."""
    return struct.pack("=IHHII", 16 + len(payload), kind, 5, 1, 0) + payload


class Audit:
    """The kernel's audit, with a rule that matches every openat()."""

    GET, SET, ADD_RULE, DEL_RULE, PATH, SYSCALL = 1000, 1001, 1011, 1012, 1302, 1300
    OPENAT = syscalls.number("openat")

    def __init__(self):
        try:
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)
        except OSError as error:
            raise Skip("no audit in this kernel") from error
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)        # SO_RCVBUFFORCE
        self.sock.settimeout(60)
        mask = [0] * 64
        mask[self.OPENAT // 32] = 1 << self.OPENAT % 32
        words = [4, 2, 0] + mask + [0] * 64 * 3
        self.rule = struct.pack(f"={len(words)}II", *words, 0)

    def __enter__(self):
        self.ask(self.SET, struct.pack("=11I", 1 | 4 | 8 | 16, 1, 0, os.getpid(), 0,
                                       100000, 0, 0, 0, 0, 0))
        self.ask(self.ADD_RULE, self.rule)
        return self

    def __exit__(self, *_):
        self.ask(self.DEL_RULE, self.rule)
        self.ask(self.SET, struct.pack("=11I", 1 | 4, *[0] * 10))
        self.sock.close()

    def ask(self, kind, payload):
        """Send a message, and wait until it is answered."""
        self.sock.send(audit_message(kind, payload))
        while True:
            data = self.sock.recv(65536)
            if struct.unpack_from("=H", data, 4)[0] == 2:
                error = struct.unpack_from("=i", data, 16)[0]
                if error:
                    raise Skip(f"audit refuses: {os.strerror(-error)}")
                return

    def records(self, pid, function):
        """Run @function; how many names its open()s left, in records of @pid's."""
        function()
        kinds, mine = {}, set()
        while select.select([self.sock], [], [], 1)[0]:
            data = self.sock.recv(65536)
            kind = struct.unpack_from("=H", data, 4)[0]
            text = data[16:].decode("ascii", "replace")
            serial = text[text.index(":"):text.index(")")] if ")" in text else ""
            if kind == self.SYSCALL and f" pid={pid} " in text:
                mine.add(serial)
            kinds.setdefault(serial, []).append(kind)
        return sum(kinds[serial].count(self.PATH) for serial in mine)


@test
def no_tracks():
    """To ask procfs about processes leaves nothing in the opener's audit records."""
    def crowd(count):
        become(PLAIN_USER)
        kept, pids = [udp(INET)], []
        stay, _ = os.pipe()
        for _ in range(count):
            pid = os.fork()
            if not pid:
                os.read(stay, 1)
                os._exit(0)
            pids.append(pid)
        return kept, pids

    def names(uid):
        """The names that one open() leaves."""
        told, tell = os.pipe()
        go, start = os.pipe()
        pid = os.fork()
        if not pid:
            if uid:
                become(uid)
            os.read(go, 1)
            os.close(os.open(FILE, os.O_RDONLY))
            os.write(tell, b".")
            os._exit(0)

        def opens():
            os.write(start, b".")
            os.read(told, 1)
            os.waitpid(pid, 0)
        return audit.records(pid, opens)

    with Netns(), Audit() as audit:
        few = {uid: names(uid) for uid in (PLAIN_USER, 0)}
        check(all(few.values()), "the rule matches:", few)
        with Holder(crowd, 50) as holder:
            try:
                note(f"names of an open(): {few}")
                for uid, count in few.items():
                    equal(names(uid), count, "names with 50 processes, user", uid)
            finally:
                end_sharers(holder)


@test
def nothing_hidden():
    """What a process had while nobody might look at it is not shown when all may."""
    def drops():
        """Root's socket is closed before others may look at the process."""
        os.setgroups([])
        os.setresgid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        os.read(go, 1)
        secret.close()
        prctl(owner.PR_SET_DUMPABLE, 1)
        os.read(stay, 1)
        os._exit(0)

    def looks(pid):
        become(PLAIN_USER)
        os.close(os.open(FILE, os.O_RDONLY))
        if not os.fork():
            # At any moment of the looking.
            time.sleep(random.random() / 4)
            os.write(start, b".")
            os._exit(0)
        seen = 0
        while not seen:
            rows = owner.read()
            check(not [row for row in rows if row.pid == pid and row.inode == inode],
                  "the secret is shown as the process's")
            seen = sum(row.pid == pid for row in rows)

    with Netns():
        secret = udp(INET)
        # What takes long to look through, after the secret.
        resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))
        null = os.open("/dev/null", os.O_RDONLY)
        for _ in range(scaled(800000, 60000)):
            os.dup(null)
        open_to_all = udp(INET)
        for _ in range(scaled(8, 3, long=300)):
            inode = os.fstat(secret.fileno()).st_ino
            go, start = os.pipe()
            stay, end = os.pipe()
            pid = os.fork()
            if not pid:
                drops()
            secret.close()
            try:
                in_child(looks, pid)
            finally:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                for fd in go, start, stay, end:
                    os.close(fd)
            # Its descriptor is the first one again.
            secret = udp(INET)
        del open_to_all


@test
def far_apart():
    """A table of a million slots is walked in pieces that stay small."""
    slots = 1 << 20
    with open("/proc/sys/fs/nr_open", "r+", encoding="ascii") as file:
        before = file.read()
        file.seek(0)
        file.write(str(slots + 1024))
    try:
        def setup():

            resource.setrlimit(resource.RLIMIT_NOFILE, (slots, slots))
            first = udp(INET)
            last = udp(INET)
            os.dup2(last.fileno(), slots - 1)
            return (first, last), [first.fileno(), last.fileno(), slots - 1]
        with Netns(), Holder(setup) as holder:
            mine = [row.fd for row in owner.read() if row.pid == holder.pid]
            equal(mine, holder.answer, "descriptors")
    finally:
        with open("/proc/sys/fs/nr_open", "w", encoding="ascii") as file:
            file.write(before)
