# SPDX-License-Identifier: GPL-2.0
"""tcplife: its rows, who reads it, and what a session's row has to say."""

import contextlib
import dataclasses
import os
import pickle
import re
import select
import socket
import struct
import time
from typing import NamedTuple

from lib import tables
from lib.ktap import DEADLINE, Failed, check, equal, explain
from lib.tables import drain
from lib.world import LIBC, MODULE, insmod, loaded, rmmod

FILE = "/proc/net/tcplife"
STAT = "/proc/net/stat/tcplife"

COLUMNS = ("SEQ TIME NETNS PID COMM BY UID ROLE LADDR LPORT RADDR RPORT TX_B "
           "RX_B MS CONN_MS SRTT_MS RETX CGROUP END").split()
LIVE = "/proc/net/tcplive"
LIVE_COLUMNS = ["SINCE", *COLUMNS[2:-1], "STAT"]
COUNTERS = "recorded overwritten dropped untracked tracked".split()

MILLIS = r"(\d+\.\d{3}|-)"
ROW = re.compile(
    r" *(\d+) +(\d+)\.(\d{6}) +(\d+) +(\d+|-) ((?:[!-[\]-~]|\\[0-7]{3})+) +"
    r"(use|connect|close|accept|hold|listen|-) +(\d+) (conn|acpt|-) +([0-9a-f.:]+) +(\d+) "
    rf"([0-9a-f.:]+) +(\d+) +(\d+) +(\d+) +{MILLIS} +{MILLIS} +{MILLIS} +"
    r"(\d+) +(\d+|-) (fin|reset|abort|refused|timeout|unreach|-)")


class LiveRow(NamedTuple):
    """A row of tcplive."""
    since: object
    netns: int
    pid: object
    comm: object
    by: object
    uid: int
    role: object
    laddr: str
    lport: int
    raddr: str
    rport: int
    tx: int
    rx: int
    ms: object
    conn_ms: object
    srtt_ms: object
    retx: int
    cgroup: object
    state: str
    line: str

    @property
    def local(self):
        """Address and port of this end."""
        return self.laddr, self.lport

    @property
    def remote(self):
        """Address and port of the other end."""
        return self.raddr, self.rport

    @property
    def who(self):
        """The process and how it is known."""
        return self.pid, self.comm, self.by


def parse_live(text):
    """The LiveRows of @text, tcplive from its first byte on."""
    check(text.endswith("\n"), "the last line is cut:", repr(text[-100:]))
    lines = text.split("\n")
    equal(lines[0].split(), LIVE_COLUMNS, "header")
    rows = []
    for line in lines[1:-1]:
        since, rest = line.split(None, 1)
        rest, state = rest.rsplit(None, 1)
        # In between it is a row of tcplife.
        row = parse_row(f"1 {since if since != '-' else '0.000000'} {rest} -")
        check(re.fullmatch("ESTB|SYNS|SYNR|FNW1|FNW2|CLSW|LACK|CLSG", state), "STAT of", line)
        rows.append(LiveRow(row.time if since != "-" else None, *row[2:-2], state, line))
    return rows


def live(path=LIVE):
    """The LiveRows that there are."""
    return parse_live(slurp(path).decode("ascii"))


class Row(NamedTuple):
    """A row; times are microseconds, and None stands for "-"."""
    seq: int
    time: int
    netns: int
    pid: object
    comm: object
    by: object
    uid: int
    role: object
    laddr: str
    lport: int
    raddr: str
    rport: int
    tx: int
    rx: int
    ms: object
    conn_ms: object
    srtt_ms: object
    retx: int
    cgroup: object
    end: object
    line: str

    @property
    def local(self):
        """Address and port of this end."""
        return self.laddr, self.lport

    @property
    def remote(self):
        """Address and port of the other end."""
        return self.raddr, self.rport

    @property
    def who(self):
        """The process and how it is known."""
        return self.pid, self.comm, self.by


def parse_row(line):
    """The Row of @line, which must be a well-formed one."""
    match = ROW.fullmatch(line)
    if not match:
        raise Failed(f"malformed row: {line!r}")
    equal(len(line.split()), len(COLUMNS), "fields of", line)
    (seq, secs, micros, netns, pid, comm, by, uid, role, laddr, lport, raddr,
     rport, tx, rx, ms, conn_ms, srtt_ms, retx, cgroup, end) = match.groups()
    return Row(int(seq), int(secs) * 1000000 + int(micros), int(netns),
               _known(pid, int), _known(comm, unescape), _known(by, str),
               int(uid), _known(role, str), laddr, int(lport), raddr,
               int(rport), int(tx), int(rx), _known(ms, _micros),
               _known(conn_ms, _micros), _known(srtt_ms, _micros), int(retx),
               _known(cgroup, int), _known(end, str), line)


def _known(text, kind):
    return None if text == "-" else kind(text)


def _micros(text):
    whole, fraction = text.split(".")
    return int(whole) * 1000 + int(fraction)


def unescape(text):
    """The process name, as bytes, that COMM shows as @text."""
    return re.sub(r"\\([0-7]{3})",
                  lambda match: chr(int(match[1], 8)), text).encode("latin-1")


def parse(text):
    """The Rows of @text, the file from its first byte on."""
    check(text.endswith("\n"), "the last line is cut:", repr(text[-100:]))
    lines = text.split("\n")
    equal(lines[0].split(), COLUMNS, "header")
    return [parse_row(line) for line in lines[1:-1]]


def lined_up(header, line):
    """Fail unless each field of @line is in its column, to the left or to the right of it."""
    for head, field in zip(re.finditer(r"\S+", header), re.finditer(r"\S+", line)):
        check(field.start() == head.start() or field.end() == head.end(), repr(line),
              "does not line up with", repr(header), "at", head.start())


def slurp(path=FILE, size=1 << 20):
    """All of the file at @path, by reads of @size."""
    return tables.slurp(path, size)


def read(path=FILE):
    """The Rows that the ring has."""
    return parse(slurp(path).decode("ascii"))


def stat(path=STAT):
    """The counters of stat/tcplife, by name."""
    lines = slurp(path).decode("ascii").split("\n")
    equal(len(lines), 3, "lines of", path)
    equal(lines[0].split(), COUNTERS, "header of", path)
    check(re.fullmatch(r"\d+( \d+){4}", lines[1]), "malformed:", lines[1])
    return dict(zip(COUNTERS, map(int, lines[1].split())))


class Follower:
    """A reader who waits in poll(2) for more."""

    def __init__(self, path=FILE, size=1 << 20, from_start=False):
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = size
        self.header = from_start
        if not from_start:
            os.lseek(self.fd, 0, os.SEEK_HOLE)
        self.poll = select.poll()
        self.poll.register(self.fd, select.POLLIN)

    def now(self):
        """The Rows that are there by now."""
        text = drain(self.fd, self.size).decode("ascii")
        if self.header and text:
            self.header = False
            return parse(text)
        check(not text or text.endswith("\n"), "a pass ends within a row")
        return [parse_row(line) for line in text.split("\n")[:-1]]

    def ready(self, wait=0):
        """Is there more, after waiting @wait seconds at most?"""
        return bool(self.poll.poll(wait * 1000))

    def take(self, count, wait=DEADLINE / 2, of=None):
        """The next @count Rows, or more if they come at once.

        With @of only those of these namespaces: the view of all has the last
        sockets of other tests, too.
        """
        rows = []
        end = time.monotonic() + wait
        while True:
            rows += [row for row in self.now() if of is None or row.netns in of]
            if len(rows) >= count:
                return rows
            if not self.ready(max(0, end - time.monotonic())):
                raise Failed("\n".join(
                    [f"{len(rows)} rows came, not {count}; the last ones:"] +
                    [row.line for row in rows[-10:]]))

    def close(self):
        """Read no more."""
        os.close(self.fd)


def netns_inode():
    """The namespace's number, as NETNS has it."""
    return os.stat("/proc/self/ns/net").st_ino


def retransmitted():
    """How many segments this namespace has sent again so far."""
    with open("/proc/net/snmp", encoding="ascii") as file:
        names, values = (line.split() for line in file
                         if line.startswith("Tcp:"))
    return int(values[names.index("RetransSegs")])


def comm(name=None):
    """This process's name, as bytes, after changing it to @name."""
    if name is not None:
        with open("/proc/self/comm", "wb") as file:
            file.write(name)
    with open("/proc/self/comm", "rb") as file:
        return file.read()[:-1]


@dataclasses.dataclass
class Want:
    """What a row has to say. @who is a Process, or None for this one."""
    local: tuple
    remote: tuple
    role: str
    end: str
    tx: int = 0
    rx: int = 0
    by: str = "close"
    pid: int = 0
    comm: bytes = b""
    uid: int = 0
    established: bool = True
    known: bool = True          # it is not older than the module
    retx: int = 0               # at least
    least: int = 0              # microseconds that it lived at least

    def __str__(self):
        return f"{self.local} > {self.remote}"


def want(sock, role, end, tx=0, rx=0, local=None, remote=None, **more):
    """A Want of @sock's session, which is connected, with defaults: what it has
    received it has read, or @by says something else."""
    more.setdefault("by", "use" if rx else "connect" if role == "conn" else "close")
    more.setdefault("pid", os.getpid())
    more.setdefault("comm", comm())
    return Want(local or sock.getsockname()[:2],
                remote or sock.getpeername()[:2], role, end, tx, rx, **more)


def check_row(row, wanted, began, ended, netns=None):
    """Fail unless @row says what @wanted says.

    @began and @ended are times (of Clock) around the whole session.
    """
    got = {
        "role": row.role, "end": row.end, "tx": row.tx, "rx": row.rx,
        "by": row.by, "pid": row.pid, "comm": row.comm, "uid": row.uid,
        "netns": row.netns, "ms": row.ms is not None,
        "conn_ms": row.conn_ms is not None,
    }
    all_wanted = {
        "role": wanted.role if wanted.known else None, "end": wanted.end,
        "tx": wanted.tx, "rx": wanted.rx, "by": wanted.by, "pid": wanted.pid,
        "comm": wanted.comm, "uid": wanted.uid,
        "netns": netns or netns_inode(), "ms": wanted.known,
        "conn_ms": (wanted.known and wanted.established and
                    wanted.role == "conn"),
    }
    wrong = [f"{name} {got[name]!r}, not {value!r}"
             for name, value in all_wanted.items() if got[name] != value]
    check(not wrong, f"{'; '.join(wrong)}:\n{row.line}")
    check(began.real - 2 <= row.time <= ended.real + 2, "TIME is not within",
          began.real, ended.real, row.line)
    whole = ended.mono - began.mono
    lived = (row.ms or 0) + (row.conn_ms or 0)
    check(lived <= whole + 2, "MS and CONN_MS are more than", whole, "us:",
          row.line)
    check(not wanted.known or row.ms >= wanted.least - 2, "MS is less than",
          wanted.least, "us:", row.line)
    check(not wanted.known or (row.srtt_ms or 0) <= whole, "SRTT_MS is more than", whole, "us:",
          row.line)
    if wanted.tx and wanted.known:
        check(row.srtt_ms, "an acknowledged session without SRTT_MS", row.line)
    if wanted.role == "conn" and not wanted.established:
        check(row.srtt_ms is None, "SRTT_MS of an unanswered SYN:", row.line)
    check(row.retx >= wanted.retx, "RETX is less than", wanted.retx, row.line)


class Clock(NamedTuple):
    """A moment, in microseconds."""
    real: int
    mono: int


def clock():
    """Now."""
    return Clock(time.time_ns() // 1000, time.monotonic_ns() // 1000)


class Stage:
    """Where sessions are played, in the current namespace.

        with stage.scene() as scene:
            ...
            scene.wants(want(...), want(...))
        # each of them has left its row, and nothing else has
    """

    def __init__(self):
        self.follower = Follower()
        self.seq = None
        self.netns = netns_inode()

    @contextlib.contextmanager
    def scene(self):
        """What happens inside, and no more, is what the rows are about."""
        left = self.follower.now()
        check(not left, "rows that nobody waits for:",
              *(f"\n{row.line}" for row in left))
        scene = Scene(self)
        yield scene
        scene.end()

    def number(self, rows):
        """SEQ goes on from where it was."""
        for row in rows:
            equal(row.seq, row.seq if self.seq is None else self.seq + 1,
                  "SEQ of", row.line)
            self.seq = row.seq


class Scene:
    """One scene of a Stage."""

    def __init__(self, stage):
        self.stage = stage
        self.wanted = []
        self.exact_retx = True
        self.retransmitted = retransmitted()
        self.began = clock()

    def wants(self, *wanted):
        """What is expected of it."""
        self.wanted += wanted

    def end(self):
        """Compare; the scene's sockets may be closed or not."""
        try:
            rows = self.stage.follower.take(len(self.wanted))
        except Failed as failed:
            raise Failed("\n".join(
                [str(failed), "wanted:"] +
                [f"{wanted} {wanted.role} {wanted.end}"
                 for wanted in self.wanted])) from None
        ended = clock()
        self.stage.number(rows)
        check(len(rows) == len(self.wanted), "more rows than",
              len(self.wanted), *(f"\n{row.line}" for row in rows))
        left = list(rows)
        for wanted in self.wanted:
            mine = [row for row in left
                    if (row.local, row.remote) == (wanted.local,
                                                   wanted.remote)]
            check(mine, "no row of", wanted, "in",
                  *(f"\n{row.line}" for row in rows))
            left.remove(mine[0])
            check_row(mine[0], wanted, self.began, ended, self.stage.netns)
        if self.exact_retx:
            equal(sum(row.retx for row in rows),
                  retransmitted() - self.retransmitted,
                  "RETX of all rows, and RetransSegs:",
                  *(f"\n{row.line}" for row in rows))
        self.rows = rows


class Process:
    """A forked child with a part to play.

    @part is called with the Process's other side, a Line, which it hears and
    says things on; when it returns (or is killed) it is over.
    """

    def __init__(self, name, part, *args):
        self.name = name if isinstance(name, bytes) else name.encode()
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            ours.close()
            comm(self.name)
            line = Line(theirs)
            try:
                part(line, *args)
                line.say(("ended", None))
            except BaseException as error:
                line.say(("failed", "\n".join(explain(error))))
            os._exit(0)
        theirs.close()
        self.line = Line(ours)

    def say(self, what=None):
        """Tell it something: to go on."""
        self.line.say(what)

    def hear(self):
        """Wait for what it says."""
        heard = self.line.hear()
        if isinstance(heard, tuple) and heard and heard[0] == "failed":
            raise Failed(f"{self.name}: {heard[1]}")
        return heard

    def end(self):
        """Wait for its end."""
        equal(self.hear(), ("ended", None), "said")
        self._gone()

    def kill(self, signal=9):
        """End it at once."""
        os.kill(self.pid, signal)
        self._gone()

    def _gone(self):
        os.waitpid(self.pid, 0)
        # A socket of any kind keeps the namespace that it was made in.
        self.line.sock.close()

    @property
    def who(self):
        """It, as keywords of want()."""
        return {"pid": self.pid, "comm": self.name[:15]}


class Line:
    """One side of what two processes tell each other."""

    def __init__(self, sock):
        self.sock = sock

    def say(self, what=None, fds=()):
        """Send an object, and descriptors with it."""
        data = pickle.dumps(what)
        data = struct.pack("=I", len(data)) + data
        if fds:
            socket.send_fds(self.sock, [data[:1]], fds)
            data = data[1:]
        self.sock.sendall(data)

    def hear(self):
        """Receive an object."""
        size = struct.unpack("=I", self._exactly(4))[0]
        return pickle.loads(self._exactly(size))

    def hear_fds(self):
        """Receive an object and one descriptor."""
        data, fds, _, _ = socket.recv_fds(self.sock, 1, 4)
        size = struct.unpack("=I", data + self._exactly(3))[0]
        return pickle.loads(self._exactly(size)), fds

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.sock.recv(size - len(data))
            check(part, "the other side has gone")
            data += part
        return data


def disconnect(sock):
    """connect(AF_UNSPEC)."""
    if LIBC.connect(sock.fileno(), struct.pack("=H14x", socket.AF_UNSPEC), 16):
        raise OSError("disconnect")


def linger(sock, seconds=0):
    """SO_LINGER."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, seconds))


def receive(sock, count):
    """Exactly @count bytes."""
    data = bytearray()
    while len(data) < count:
        part = sock.recv(min(1 << 20, count - len(data)))
        check(part, "the other end closed after", len(data), "of", count)
        data += part
    return bytes(data)


def ended(sock):
    """Wait for the peer's FIN."""
    equal(sock.recv(1), b"", "instead of the end")


def was_reset(sock, error=ConnectionResetError):
    """Wait for the peer's reset."""
    try:
        got = sock.recv(1)
    except error:
        return
    raise Failed(f"no reset but {got!r}")


@contextlib.contextmanager
def module(parameters=""):
    """The module loaded anew with @parameters, and afterwards without."""
    if loaded(MODULE):
        rmmod()
    try:
        insmod(parameters=parameters)
        yield
    finally:
        if loaded(MODULE):
            rmmod()
        insmod()
