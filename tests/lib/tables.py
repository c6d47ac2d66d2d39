# SPDX-License-Identifier: GPL-2.0
"""Our tables and the kernel's: how to read them and when they agree."""

import functools
import os
import re
import struct
from typing import NamedTuple

from lib.ktap import Failed, check, equal

TABLES = ("tcpstat", "tcp6stat", "udpstat", "udp6stat")
# All that the module makes.
FILES = (*TABLES, "socktrouble", "tcplife", "stat/tcplife", "sockowner",
         "unixowner")
KERNELS = {"tcpstat": "tcp", "tcp6stat": "tcp6",
           "udpstat": "udp", "udp6stat": "udp6"}

COLUMNS = ("Recv-Q Send-Q Local-Address Foreign-Address Stat Diag Drops UID "
           "Inode Options").split()
NUMBERS = ("Recv-Q", "Send-Q", "Drops", "UID", "Inode")

STATES = {1: "ESTB", 2: "SYNS", 3: "SYNR", 4: "FNW1", 5: "FNW2", 6: "TIMW",
          7: "CLSD", 8: "CLSW", 9: "LACK", 10: "LSTN", 11: "CLSG"}
MARKS = (">|", "|<", ">|<", ">#", ">R", "K?", "!A", "C?", "!B")

ROW = re.compile(r" *(\d+) +(\d+) +(\S+:(?:\d+|\*)) +(\S+:(?:\d+|\*)) +"
                 r"([A-Z0-9]{4}) +(\S+) +(\d+) +(\d+) +(\d+) +(\S+)")
OPTION = re.compile(r"([A-Z][A-Z0-9_]+)=([^,\s]+)")


class Row(NamedTuple):
    """A row of one of our tables."""
    recvq: int
    sendq: int
    local: str
    foreign: str
    stat: str
    diag: tuple         # of marks, () for "-"
    drops: int
    uid: int
    inode: int
    options: object     # a dict of texts, None for "-"
    line: str


class KernelRow(NamedTuple):
    """A row of one of the kernel's own tables, without its timers."""
    recvq: int
    sendq: int
    local: str
    foreign: str
    stat: str
    drops: object       # None where the kernel's file doesn't say
    uid: int
    inode: int
    full: bool          # a socket, not a TIME_WAIT or SYN_RECV entry


def by_column(text):
    """The rows of a whole file of ours, whichever it is, each as {column: field}."""
    header, *lines = (line.split() for line in text.splitlines())
    return [dict(zip(header, line)) for line in lines]


def parse_row(line):
    """The Row of @line, which must be a well-formed one."""
    match = ROW.fullmatch(line)
    if not match:
        raise Failed(f"malformed row: {line!r}")
    (recvq, sendq, local, foreign, stat, diag, drops, uid, inode,
     options) = match.groups()
    return Row(int(recvq), int(sendq), local, foreign, stat,
               parse_diag(diag), int(drops), int(uid), int(inode),
               parse_options(options), line)


def parse_diag(text):
    """The marks of a Diag column, which must come in the column's order."""
    if text == "-":
        return ()
    marks = tuple(text.split(","))
    places = [MARKS.index(mark) if mark in MARKS else -1 for mark in marks]
    check(-1 not in places and places == sorted(set(places)),
          "malformed Diag:", text)
    return marks


def parse_options(text):
    """The options of an Options column: each once, none without a value."""
    if text == "-":
        return None
    options = {}
    for part in text.split(","):
        match = OPTION.fullmatch(part)
        check(match, "malformed option", repr(part), "in", text)
        check(match[1] not in options, match[1], "twice in", text)
        options[match[1]] = match[2]
    return options


def parse(text):
    """The Rows of a whole table."""
    check(text.endswith("\n"), "the last line is cut:", repr(text[-100:]))
    lines = text.split("\n")
    equal(lines[0].split(), COLUMNS, "header")
    return [parse_row(line) for line in lines[1:-1]]


def slurp(path, size=1 << 20):
    """All of the file at @path, by reads of @size."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return drain(fd, size)
    finally:
        os.close(fd)


def drain(fd, size=1 << 20):
    """What is left to read from @fd, by reads of @size, until one gives nothing."""
    parts = []
    while part := os.read(fd, size):
        parts.append(part)
    return b"".join(parts)


def read(table, net="/proc/net"):
    """The Rows of our @table."""
    return parse(slurp(f"{net}/{table}").decode("ascii"))


def read_kernel(table, net="/proc/net"):
    """The KernelRows of the kernel's counterpart of our @table, or of a file of its own."""
    name = KERNELS.get(table, table)
    lines = slurp(f"{net}/{name}").decode("ascii").splitlines()
    return [_kernel_row(line.split(), name) for line in lines[1:]]


def _kernel_row(fields, name):
    tx, rx = fields[4].split(":")
    tcp = name.startswith("tcp")
    stat = STATES[int(fields[3], 16)]
    if not tcp:
        stat = "ESTB" if stat == "ESTB" else "UNCN"
    return KernelRow(recvq=int(rx, 16), sendq=int(tx, 16),
                     local=_endpoint(fields[1]), foreign=_endpoint(fields[2]),
                     stat=stat, drops=None if tcp else int(fields[12]),
                     uid=int(fields[7]), inode=int(fields[9]),
                     full=not tcp or len(fields) > 12)


@functools.lru_cache(maxsize=None)
def _endpoint(text):
    address, port = text.split(":")
    words = [int(address[i:i + 8], 16) for i in range(0, len(address), 8)]
    return endpoint(struct.pack(f"={len(words)}I", *words), int(port, 16))


def endpoint(address, port):
    """ADDRESS:PORT as our tables print it, from the bytes of an address."""
    text = pi4(address) if len(address) == 4 else pi6c(address)
    return f"{text}:{port or '*'}"


def pi4(address):
    """The kernel's %pI4."""
    return ".".join(str(byte) for byte in address)


def pi6c(address):
    """The kernel's %pI6c.

    It differs from inet_ntop(3): ISATAP addresses end like an IPv4 address,
    and IPv4-compatible ones don't.
    """
    words = struct.unpack("!8H", address)
    mapped = words[:6] == (0, 0, 0, 0, 0, 0xffff)
    isatap = words[4] in (0, 0x200) and words[5] == 0x5efe
    tail = [pi4(address[12:])] if mapped or isatap else []
    head = [f"{word:x}" for word in (words[:6] if tail else words)]
    best = max(range(len(head)), key=lambda i: (_zeros(head, i), -i))
    length = _zeros(head, best)
    if length > 1:
        return (":".join(head[:best]) + "::" +
                ":".join(head[best + length:] + tail))
    return ":".join(head + tail)


def _zeros(words, start):
    length = 0
    while start + length < len(words) and words[start + length] == "0":
        length += 1
    return length


def agreed(table, net="/proc/net"):
    """Our Rows and the kernel's of a moment at which neither changed."""
    before = None
    for _ in range(50):
        before = before or read_kernel(table, net)
        ours = read(table, net)
        after = read_kernel(table, net)
        if before == after:
            return ours, after
        before = after
    raise Failed(f"{net}/{table}: the system never stood still")


def agree(table, net="/proc/net"):
    """Fail unless our @table agrees with the kernel's, row by row in order.

    Returns our Rows and the kernel's, for what more there is to say of them.
    """
    ours, theirs = agreed(table, net)
    for number, (our, their) in enumerate(zip(ours, theirs), 1):
        where = f"{table} row {number} ({our.line})"
        for field in ("local", "foreign", "stat", "uid", "inode"):
            equal(getattr(our, field), getattr(their, field), where, field)
        if their.drops is not None:
            equal(our.drops, their.drops, where, "drops")
        if their.stat == "LSTN":    # Send-Q is compared with ss elsewhere
            equal(our.recvq, their.recvq, where, "recvq")
        else:
            equal((our.recvq, our.sendq), (their.recvq, their.sendq), where,
                  "queues")
        equal(our.options is not None, their.full, where, "has options")
        if not their.full:
            equal((our.recvq, our.sendq, our.diag, our.drops), (0, 0, (), 0),
                  where, "no socket")
    equal(len(ours), len(theirs), table, "number of rows")
    return ours, theirs


def row_of(sock, table, net="/proc/net"):
    """The one Row of @sock, a socket or a descriptor of one."""
    fd = sock if isinstance(sock, int) else sock.fileno()
    inode = os.fstat(fd).st_ino
    rows = [row for row in read(table, net) if row.inode == inode]
    equal(len(rows), 1, f"rows of inode {inode} in {table}")
    return rows[0]
