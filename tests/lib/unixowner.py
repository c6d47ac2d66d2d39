# SPDX-License-Identifier: GPL-2.0
"""unixowner: how to read it, and what others say of the same sockets."""

import os
import re
import socket
import subprocess
from typing import NamedTuple

from lib import tables
from lib.ktap import Failed, check, equal
from lib.owner import CGROUPS, comm_of, listed, parse_file, same, same_rows

FILE = "/proc/net/unixowner"
COLUMNS = "UID PID COMM FD TYPE STAT PATH PEER CGROUP INODE".split()
ROW = re.compile(r" *(\d+) +(\d+|-) +(\S+) +(\d+|-) (strm|dgrm|seqp) (LSTN|ESTB|UNCN) "
                 r"([!-~]+) +(\d+|-) +(\d+|-) +(\d+)")
SHARER = re.compile(r" {4}- +(\d+) +(\S+) +=(\d+)(?: +-){6}")
TYPES = {socket.SOCK_STREAM: "strm", socket.SOCK_DGRAM: "dgrm",
         socket.SOCK_SEQPACKET: "seqp"}


class Row(NamedTuple):
    """A row of unixowner."""
    uid: int
    pid: object         # None for "-", as comm, fd, path, peer and cgroup
    comm: object
    fd: object
    kind: str
    stat: str
    path: object        # bytes, as getsockname() has them
    peer: object
    cgroup: object
    inode: int


def unescaped(text):
    """The name that PATH stands for."""
    def one(match):
        return bytes([int(match[1], 8)])
    if text == "-":
        return None
    data = re.sub(rb"\\([0-3][0-7]{2})", one, text.encode("ascii"))
    return b"\0" + data[1:] if text[0] == "@" else data


def _number(text):
    return None if text == "-" else int(text)


def parse_row(line):
    """The Row of @line, which must be a well-formed one."""
    match = ROW.fullmatch(line)
    if not match:
        raise Failed(f"malformed row: {line!r}")
    uid, pid, comm, fd, kind, stat, path, peer, cgroup, inode = match.groups()
    check((pid, comm, fd).count("-") in (0, 3), "half a holder:", line)
    held = pid != "-"
    return Row(int(uid), _number(pid), comm if held else None, _number(fd), kind, stat,
               unescaped(path), _number(peer), _number(cgroup), int(inode))


def parse(text):
    """The Rows of a whole file, which must be in order."""
    return parse_file(text, COLUMNS, SHARER, parse_row)


def read(path=FILE, **how):
    """The Rows of the file, which is read as tables.slurp() does."""
    return parse(tables.slurp(path, **how).decode("ascii"))


def own_cgroup():
    """The number of this process's cgroup, or None."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        paths = [line.strip()[3:] for line in file if line.startswith("0::")]
    return os.stat(CGROUPS + paths[0]).st_ino if paths else None


def inode_of(sock):
    """A socket's inode number."""
    return os.fstat(sock.fileno()).st_ino


def name_of(sock):
    """A socket's name as bytes, or None."""
    name = sock.getsockname()
    return (name if isinstance(name, bytes) else os.fsencode(name)) or None


def row_of(sock, stat, peer=None, **changes):
    """The whole Row that there must be of @sock, held by this process."""
    return Row(0, os.getpid(), comm_of(), sock.fileno(), TYPES[sock.type], stat,
               name_of(sock), peer and inode_of(peer), own_cgroup(),
               inode_of(sock))._replace(**changes)


def nobodys(row, **changes):
    """@row as it is when nobody holds it."""
    return row._replace(pid=None, comm=None, fd=None, **changes)


def pair_stat(sock):
    """The state of one of a pair: through 5.14 datagram sockets have none."""
    return next(stat for _, stat, _, inode in kernels() if inode == inode_of(sock))


def rows_are(wanted):
    """Fail unless the file has just the rows @wanted, and others agree."""
    same_rows(compare(), wanted)


# What others say.

SS = re.compile(r"u_(str|dgr|seq) +(LISTEN|ESTAB|UNCONN) +\d+ +\d+ +(\S+) (\d+) +(\S+) "
                r"(\d+) *(users:.*)?", re.ASCII)
SS_TYPES = {"str": "strm", "dgr": "dgrm", "seq": "seqp"}
SS_STATES = {"LISTEN": "LSTN", "ESTAB": "ESTB", "UNCONN": "UNCN"}
# An address may be "(____ptrval____)".
KERNEL = re.compile(r"\S+: [0-9A-F]{8} [0-9A-F]+ [0-9A-F]{3}([01])[0-9A-F]{4} (\d{4}) "
                    r"([0-9A-F]{2}) +(\d+)(?: (.+))?", re.DOTALL)


# Of one with a struct socket whether it is connected; of one without it says "connecting".
KERNEL_STATES = {"01": "UNCN", "02": "ESTB", "03": "ESTB"}


def ss(text=None):
    """What ss -xap knows: (kind, stat, name, inode, peer) of each socket, and (pid, fd,
    inode) of each holder that it finds. Names must not have blanks."""
    if text is None:
        text = subprocess.run(["ss", "-xapOH"], check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout
    socks, holders = set(), set()
    for line in text.decode("latin-1").split("\n")[:-1]:
        match = SS.fullmatch(line)
        if not match:
            raise Failed(f"ss says {line!r}")
        kind, stat, name, inode, _, peer, users = match.groups()
        socks.add((SS_TYPES[kind], SS_STATES[stat], None if name == "*" else name,
                   int(inode), int(peer) or None))
        for pid, fd in re.findall(r"pid=(\d+),fd=(\d+)\)", users or ""):
            holders.add((int(pid), int(fd), int(inode)))
    return socks, holders


def shown(path):
    """A name as ss and the kernel's own file show it."""
    return None if path is None else path.replace(b"\0", b"@").decode("latin-1")


def kernels():
    """(kind, state, name, inode) of each socket of /proc/net/unix."""
    text = tables.slurp("/proc/net/unix").decode("latin-1")
    found = []
    # A name may have the end of a line in it.
    for entry in re.split(r"\n(?=\S{8,16}: [0-9A-F]{8} )", text[:-1])[1:]:
        match = KERNEL.fullmatch(entry)
        if not match:
            raise Failed(f"/proc/net/unix says {entry!r}")
        listens, kind, state, inode, name = match.groups()
        # What a connect() that has to wait has made for the other side is of no type yet.
        if int(kind):
            stat = "LSTN" if listens == "1" else KERNEL_STATES[state]
            found.append((TYPES[int(kind)], stat, name, int(inode)))
    return sorted(found, key=repr)


def socks_of(rows):
    """What kernels() says of these sockets."""
    once = {row.inode: row for row in rows if row.inode}
    return sorted(((row.kind, row.stat, shown(row.path), row.inode)
                   for row in [*once.values(), *(row for row in rows if not row.inode)]),
                  key=repr)


def each_once(rows):
    """Fail if a socket that nobody holds has several rows, or has one and is held."""
    inodes = [row.inode for row in rows if not row.pid and row.inode]
    inodes += {row.inode for row in rows if row.pid}
    equal(sorted(inodes), sorted(set(inodes)), "sockets")


def agree_with_ss(rows, said=None):
    """Fail unless ss knows the same sockets with the same peers, and the same holders."""
    each_once(rows)
    socks, holders = said or ss()
    same({(row.kind, row.stat, shown(row.path), row.inode, row.peer)
          for row in rows if row.inode}, socks, "ss")
    same({(row.pid, row.fd, row.inode) for row in rows if row.pid}, holders, "ss -p")


def compare(with_ss=True):
    """Read the file and compare it with ss, /proc/PID/fd and the kernel's own file;
    return its Rows."""
    rows = read()
    each_once(rows)
    equal(socks_of(rows), kernels(), "the sockets of /proc/net/unix")
    same({(row.pid, row.fd, row.inode) for row in rows if row.pid}, listed(rows),
         "/proc/PID/fd")
    if with_ss and not any(re.search(rb"[\s]", row.path or b"") for row in rows):
        agree_with_ss(rows)
    equal(read(), rows, "the system stood still")
    return rows
