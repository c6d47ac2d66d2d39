# SPDX-License-Identifier: GPL-2.0
"""sockowner: how to read it, and who holds the sockets that it is asked for."""

import contextlib
import ctypes
import os
import pickle
import re
import signal
import socket
import subprocess
from typing import NamedTuple

from lib import syscalls, tables
from lib.ktap import Failed, check, equal, in_child
from lib.tables import endpoint
from lib.world import LIBC

FILE = "/proc/net/sockowner"
COLUMNS = "UID PID COMM FD PROTO STAT LOCAL FOREIGN HELD CGROUP NETNS INODE".split()
HELD = ("fd", "queue", "syn", "tw", "orphan", "kernel", "-")
PROTOS = ("tcp4", "tcp6", "tcp46", "udp4", "udp6", "udp46", "raw4", "raw6", "icmp4",
          "icmp6", "packet")
ROW = re.compile(rf" *(\d+) +(\d+|-) +(\S+) +(\d+|-) ({'|'.join(PROTOS)}) +"
                 r"([A-Z0-9]{4}) (\S+:(?:\d+|\*)|[0-9*]+:\S+) +(\S+:(?:\d+|\*)) +"
                 rf"({'|'.join(HELD)}) +(\d+|-) +(\d+) +(\d+)")
SHARER = re.compile(r" {4}- +(\d+) +(\S+) +=(\d+)" + " +-" * 8)
TABLES = {"tcp4": "tcpstat", "tcp6": "tcp6stat",
          "udp4": "udpstat", "udp6": "udp6stat"}
CGROUPS = "/sys/fs/cgroup"

PR_SET_DUMPABLE, PR_SET_NAME = 4, 15
CLONE_FILES = 0x400
SYS_CLONE, SYS_EXIT = syscalls.number("clone"), syscalls.number("exit")
MS_BIND, MS_REC_PRIVATE = 1 << 12, 1 << 14 | 1 << 18


class Row(NamedTuple):
    """A row of sockowner."""
    uid: int
    pid: object         # None for "-", as comm and fd
    comm: object
    fd: object
    proto: str
    stat: str
    local: str
    foreign: str
    held: str
    cgroup: object      # None for "-"
    netns: int
    inode: int


def parse_row(line):
    """The Row of @line, which must be a well-formed one."""
    match = ROW.fullmatch(line)
    if not match:
        raise Failed(f"malformed row: {line!r}")
    (uid, pid, comm, fd, proto, stat, local, foreign, how, cgroup, netns,
     inode) = match.groups()
    check((pid, comm, fd).count("-") in (0, 3), "half a holder:", line)
    known = pid != "-"
    equal(how == "fd", known, "HELD by a descriptor:", line)
    return Row(int(uid), int(pid) if known else None, comm if known else None,
               int(fd) if known else None, proto.strip(), stat, local, foreign, how,
               None if cgroup == "-" else int(cgroup), int(netns), int(inode))


def parse_file(text, columns, sharer, parse_one):
    """The rows of a whole file, which must be in order. @parse_one makes them of lines,
    but of one like @sharer, of a process that shares its descriptors: that has those of
    the other one."""
    check(text.endswith("\n"), "the last line is cut:", repr(text[-100:]))
    lines = text.split("\n")
    equal(lines[0].split(), columns, "header")
    rows, rows_of = [], {}
    for line in lines[1:-1]:
        match = sharer.fullmatch(line)
        if match:
            pid, comm, other = int(match[1]), match[2], int(match[3])
            check(other in rows_of, "shares with nobody:", line)
            more = [row._replace(pid=pid, comm=comm) for row in rows_of[other]]
        else:
            more = [parse_one(line)]
        for row in more:
            rows.append(row)
            rows_of.setdefault(row.pid, []).append(row)
    holders = [(row.pid, row.fd) if row.pid else (1 << 40, 0) for row in rows]
    check(holders == sorted(holders), "out of order")
    return rows


def parse(text):
    """The Rows of a whole file, which must be in order."""
    return parse_file(text, COLUMNS, SHARER, parse_row)


def read(path=FILE, **how):
    """The Rows of the file, which is read as tables.slurp() does."""
    return parse(tables.slurp(path, **how).decode("ascii"))


def held(rows):
    """Those of @rows that are held."""
    return [row for row in rows if row.pid]


def hashed(row):
    """Is @row of one of the kinds that need no descriptor to be found?"""
    return row.proto[:3] in ("tcp", "udp")


def rest(rows):
    """Those of @rows that nobody holds."""
    return [row for row in rows if not row.pid]


def comm_of(pid="self"):
    """The name of a process, as ours is printed when it is a plain one."""
    with open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip()


def proto_of(sock):
    """The PROTO of a socket."""
    kind = "udp" if sock.type == socket.SOCK_DGRAM else "tcp"
    if sock.family == socket.AF_INET:
        return f"{kind}4"
    both = (sock.getsockname()[0] == "::" and not peer_of(sock) and
            not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    return f"{kind}{'46' if both else '6'}"


def peer_of(sock):
    """What a socket is connected to, or None."""
    try:
        return sock.getpeername()
    except OSError:
        return None


def cgroup_of(pid="self"):
    """The number of a process's cgroup."""
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
        path = file.read().split("\n0::")[-1].removeprefix("0::").strip()
    return os.stat(f"{CGROUPS}{path}").st_ino


def netns_of(pid="self"):
    """The number of a process's network namespace."""
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def on(device, end):
    """An address and port with an interface."""
    return f"%{device}:".join(end.rsplit(":", 1))


def bare(end):
    """An address and port without the interface."""
    return re.sub("%.*:", ":", end)


def text_of(sock, name):
    """A socket's end, as our files print it."""
    if not name:
        name = ("::" if sock.family == socket.AF_INET6 else "0.0.0.0", 0)
    return endpoint(socket.inet_pton(sock.family, name[0].split("%")[0]), name[1])


def row_of(sock, stat, uid=0, pid=None, comm=None, fd=None):
    """The whole Row that there must be of @sock, held by this process."""
    return Row(uid, pid or os.getpid(), comm or comm_of(),
               sock.fileno() if fd is None else fd, proto_of(sock), stat,
               text_of(sock, sock.getsockname()), text_of(sock, peer_of(sock)),
               "fd", cgroup_of(), netns_of(), os.fstat(sock.fileno()).st_ino)


def nobodys(row, held="-", **changes):
    """@row as it is when nobody holds it."""
    return row._replace(pid=None, comm=None, fd=None, held=held, **changes)


def rows_are(wanted):
    """Fail unless the file has just the rows @wanted, and the kernel agrees."""
    same_rows(agree_with_kernel(), wanted)


def same_rows(got, wanted):
    """Fail unless these are the same rows, in any order."""
    if sorted(map(repr, got)) != sorted(map(repr, wanted)):
        more = [str(row) for row in got if row not in wanted]
        less = [str(row) for row in wanted if row not in got]
        raise Failed("\n".join([f"{len(got)} rows, wanted {len(wanted)}",
                                "too many:", *more, "missing:", *less]))


def agree_with_kernel():
    """Fail unless our rows are the sockets of the kernel's own files, each once.

    Held ones that are in none of its tables (not bound, reset) aside. Returns
    the Rows, of a moment at which those files did not change.
    """
    before = None
    for _ in range(50):
        before = before or _kernels()
        rows = read()
        after = _kernels()
        if before == after:
            break
        before = after
    else:
        raise Failed("the system never stood still")
    with_inode, without = set(), []
    for row in filter(hashed, rows):
        key = (row.uid, row.proto.replace("46", "6"), row.stat, bare(row.local),
               bare(row.foreign), row.inode)
        if not row.inode:
            without.append(key)
        elif row.stat != "CLSD" and not row.local.endswith(":*"):
            with_inode.add(key)
    equal(sorted(without), [key for key in after if not key[-1]],
          "sockets without an inode")
    equal(sorted(with_inode), sorted({key for key in after if key[-1]}),
          "sockets with an inode")
    return rows


def _kernels():
    return sorted((row.uid, proto, row.stat, row.local, row.foreign, row.inode)
                  for proto, table in TABLES.items()
                  for row in tables.read_kernel(table))


# What others say.

def ss(*more):
    """(pid, fd, proto, local, foreign, cgroup, inode) for each holder that ss finds."""
    # It complains where it can't look up cgroups.
    text = subprocess.run(["ss", "-tuanpeOH", *more], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    found = set()
    for line in text.splitlines():
        fields = line.split()
        six = "[" in fields[4] or fields[4].startswith("*")
        proto = fields[0] + ("46" if fields[4].startswith("*") else "6" if six else "4")
        inode = re.search(r" ino:(\d+) ", line + " ")
        cgroup = re.search(r" cgroup:(\S+)", line)
        for pid, fd in re.findall(r"pid=(\d+),fd=(\d+)\)", line):
            found.add((int(pid), int(fd), proto, _plain(fields[4], six),
                       _plain(fields[5], six), cgroup and _cgroup(cgroup[1]),
                       int(inode[1])))
    return found


def _cgroup(name):
    """The number of a cgroup that ss has named."""
    if name.startswith("unreachable:"):
        return int(name.split(":")[1], 16)
    return os.stat(f"{CGROUPS}{name}").st_ino


def _plain(text, six):
    address, port = text.rsplit(":", 1)
    address, _, device = address.partition("%")
    address = address.strip("[]")
    if address == "*":
        address = "::" if six else "0.0.0.0"
    family = socket.AF_INET6 if six else socket.AF_INET
    end = endpoint(socket.inet_pton(family, address),
                   0 if port == "*" else int(port))
    return on(device, end) if device else end


def lsof():
    """(pid, fd, proto, local, foreign or None) for each that lsof finds."""
    text = subprocess.run(["lsof", "-wnP", "-i", "-FpftPn"], check=False,
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout
    found = set()
    pid = fd = six = proto = None
    for line in text.splitlines():
        kind, value = line[0], line[1:]
        if kind == "p":
            pid = int(value)
        elif kind == "f":
            fd = int(value)
        elif kind == "t":
            six = value == "IPv6"
        elif kind == "P":
            proto = value.lower() + ("6" if six else "4")
        elif kind == "n":
            ends = [bare(_plain(end, six)) for end in value.split("->")]
            if proto[:3] in ("tcp", "udp"):
                found.add((pid, fd, proto, ends[0],
                           ends[1] if len(ends) > 1 else None))
    return found


def listed(rows):
    """(pid, fd, inode) of the sockets of @rows in /proc/PID/fd."""
    inodes = {f"socket:[{row.inode}]": row.inode for row in rows}
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    link = os.readlink(f"/proc/{pid}/fd/{fd}")
                    if link in inodes:
                        found.add((int(pid), int(fd), inodes[link]))
    return found


def same(got, wanted, *said):
    """Fail unless two sets are the same, and say how they differ."""
    if got != wanted:
        raise Failed(f"{' '.join(said)}: only there: {sorted(wanted - got)}; "
                     f"only here: {sorted(got - wanted)}")


def compare(with_lsof=True):
    """Read the file and compare it with ss, lsof and /proc; return its Rows.

    Once more if they differ: on a slow machine a TIME_WAIT entry may end meanwhile.
    """
    try:
        return _compare(with_lsof)
    except Failed:
        return _compare(with_lsof)


def _compare(with_lsof):
    rows = read()
    mine = held(rows)
    same({(row.pid, row.fd, row.inode) for row in mine}, listed(rows),
         "/proc/PID/fd")
    # What is in no hash table the others don't know.
    mine = [row for row in mine if hashed(row) and
            row.stat != "CLSD" and not row.local.endswith(":*")]
    same({(row.pid, row.fd, row.proto, row.local, bare(row.foreign), row.cgroup,
           row.inode) for row in mine}, ss(), "ss")
    if with_lsof:
        same({(row.pid, row.fd, row.proto.replace("46", "6"), bare(row.local),
               None if row.foreign.endswith(":*") else bare(row.foreign))
              for row in mine}, lsof(), "lsof")
    equal(read(), rows, "the system stood still")
    return rows


# Processes.

def prctl(option, value):
    """prctl(2) that must work."""
    check(LIBC.prctl(option, value, 0, 0, 0) == 0, "prctl", option)


def become(uid, dumpable=1):
    """Be @uid for good, in a process that others of that user may look at."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    prctl(PR_SET_DUMPABLE, dumpable)


def own_proc(options=""):
    """A mount namespace whose /proc is this PID namespace's own."""
    os.unshare(os.CLONE_NEWNS)
    for args in ((None, b"/", None, MS_REC_PRIVATE, None),
                 (b"proc", b"/proc", b"proc", 0, options.encode() or None)):
        if LIBC.mount(*args):
            error = ctypes.get_errno()
            raise OSError(error, f"mount: {os.strerror(error)}")


LIBC.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p,
                       ctypes.c_ulong, ctypes.c_char_p]


class Holder:
    """A process that runs @setup(), says what it returned, and stays.

        with Holder(setup) as holder:
            holder.pid, holder.answer
    """

    ends = set()        # of those that stay: nothing that later ones need hold

    def __init__(self, setup, *args):
        told, tell = os.pipe()
        stay, self.end = os.pipe()
        self.ends.add(self.end)
        self.pid = os.fork()
        if not self.pid:
            while self.ends:
                os.close(self.ends.pop())
            os.close(told)
            self._stay(setup, args, tell, stay)
        os.close(tell)
        os.close(stay)
        # Not to the end: a thread with its own table keeps that open.
        data = os.read(told, 65536)
        os.close(told)
        check(data, "the holder died")
        well, self.answer = pickle.loads(data)
        if not well:
            self.close()
            raise self.answer

    @staticmethod
    def _stay(setup, args, tell, stay):
        try:
            kept, answer = setup(*args)
            said = (True, answer)
        except BaseException as error:
            said = (False, error if isinstance(error, Failed)
                    else Failed(repr(error)))
            kept = None
        os.write(tell, pickle.dumps(said))
        os.close(tell)
        os.read(stay, 1)
        del kept
        os._exit(0)

    def close(self):
        """End it, and wait for that."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.end)
            self.ends.remove(self.end)
            self.pid = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def in_pidns(function, *args):
    """Run @function in a new PID namespace, with a /proc of its own.

    Call it in a child: what it forks from then on is in there, too.
    """
    os.unshare(os.CLONE_NEWPID)

    def inside():
        own_proc()
        return function(*args)
    return in_child(inside)

