# SPDX-License-Identifier: GPL-2.0
"""A server that runs in a network namespace of its own, and what our files say of it."""

import collections
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from lib import life, owner, tables, world
from lib.ktap import check, equal, note, until

INET, INET6 = socket.AF_INET, socket.AF_INET6
FAMILIES = {"v4": INET, "v6": INET6}

PORT_COLUMNS = ("ROLE PORT SESSIONS FIN RESET ABORT REFUSED TIMEOUT UNREACH OTHER TX_B "
                "RX_B RETX").split()


def free_port():
    """A port that nobody in this namespace listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def url_host(family):
    """The loopback address of @family as it stands before a colon and a port."""
    address = world.host(family)
    return f"[{address}]" if ":" in address else address


def ask(sock, *lines, body=b""):
    """Send a request of HTTP; how many bytes it has."""
    request = "\r\n".join((*lines, "Host: x", "", "")).encode() + body
    sock.sendall(request)
    return len(request)


def answer(sock):
    """Read one answer with a Content-Length; all its bytes."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(1)
        check(part, "the answer is cut:", data)
        data += part
    size = int(re.search(rb"(?i)Content-Length: (\d+)", data)[1])
    while size:
        part = sock.recv(min(size, 65536))
        check(part, "the answer is cut")
        size -= len(part)
        data += part
    return data


class Server:
    """A program that serves, in a directory and a network namespace of its own.

        with Server() as server:
            server.write("conf", ...)
            server.start("nginx", "-c", server.path("conf"), ports=(port,))
    """

    def __init__(self):
        self.netns = world.Netns()
        self.dir = tempfile.mkdtemp(prefix="knetstat-")
        os.chmod(self.dir, 0o777)
        self.processes = []

    def __enter__(self):
        self.netns.__enter__()
        return self

    def __exit__(self, kind, *_):
        for process, log in reversed(self.processes):
            # PostgreSQL waits for its clients, unless it is interrupted.
            process.send_signal(signal.SIGINT if kind else signal.SIGTERM)
            process.wait()
            if kind:
                with open(log, encoding="utf-8", errors="replace") as file:
                    note(file.read()[-2000:])
        self.netns.__exit__()
        shutil.rmtree(self.dir)

    def path(self, name):
        """The path of the file @name of its directory."""
        return f"{self.dir}/{name}"

    def write(self, name, text):
        """Write a file of its directory; its path."""
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        """The lines of a file of its directory that are whole."""
        if not os.path.exists(self.path(name)):
            return []
        with open(self.path(name), encoding="ascii") as file:
            return file.read().split("\n")[:-1]

    def start(self, *command, ports=(), **more):
        """Start @command and wait until it listens on all of @ports; its PID."""
        log = self.path(f"output{len(self.processes)}")
        with open(log, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, **more)
        self.processes.append((process, log))

        def ready():
            check(process.poll() is None, command[0], "has ended")
            return {port for port, _ in listening()} >= set(ports)
        until(ready, lambda: f"{command[0]} listens on {ports}: {listening()}")
        return process.pid


def listening():
    """Port and family of each listener, as the kernel's own files have them."""
    return {(int(row.local.rsplit(":", 1)[1]), family)
            for table, family in (("tcp", INET), ("tcp6", INET6))
            for row in tables.read_kernel(table) if row.stat == "LSTN"}


def listener_row(family, port):
    """The one row of the listener on @port."""
    rows = listener_rows(family, port)
    equal(len(rows), 1, "listeners on", port)
    return rows[0]


def listener_rows(family, port):
    """The rows of the listeners on @port."""
    table = "tcpstat" if family == INET else "tcp6stat"
    return [row for row in tables.agree(table)[0]
            if row.stat == "LSTN" and row.local.endswith(f":{port}")]


def options_are(row, **wanted):
    """Check that the options of @row are @wanted, and those always shown that are not."""
    base = {"SO_REUSEADDR": "0", "SO_REUSEPORT": "0", "SO_KEEPALIVE": "0", "TCP_NODELAY": "0"}
    if row.stat == "LSTN":
        base |= {"TCP_FASTOPEN": "0", "TCP_DEFER_ACCEPT": "0"}
    equal(row.options, base | wanted, "options of", row.line)


def holders(port, stat="LSTN"):
    """{(PID, COMM)} of who holds a socket with the local port @port, as sockowner says."""
    return {(row.pid, row.comm) for row in owner.read()
            if row.stat == stat and row.local.endswith(f":{port}") and row.pid}


def unacknowledged(port):
    """What is on its way from the server on @port, as the kernel's own files have it."""
    return [row for table in ("tcp", "tcp6") for row in tables.read_kernel(table)
            if row.stat == "ESTB" and row.local.endswith(f":{port}") and row.sendq]


def established(port):
    """The row of the live session of each client's (address, port) with the server on @port:
    when the clients have acknowledged all that they got, which is what TX_B counts.
    """
    until(lambda: not unacknowledged(port), lambda: unacknowledged(port))
    return {row.remote: row for row in life.live() if row.lport == port and row.role == "acpt"}


def accepted(port, count):
    """The rows of the @count sessions that the server on @port has had, by client."""
    rows = ended(count, lambda row: row.lport == port and row.role == "acpt")
    equal(len({row.remote for row in rows}), count, "clients")
    counted("acpt", port, rows)
    return {row.remote: row for row in rows}


def connected(port, count):
    """The rows of the @count sessions that clients of @port have had, by client."""
    rows = ended(count, lambda row: row.rport == port and row.role == "conn")
    counted("conn", port, rows)
    return {row.local: row for row in rows}


def ended(count, which):
    """The rows of tcplife that @which is true of, which must come to be @count."""
    def found():
        return [row for row in life.read() if which(row)]
    until(lambda: len(found()) >= count,
          lambda: "\n".join([f"{count} rows; there are:", *(row.line for row in life.read())]))
    rows = found()
    equal(len(rows), count, "sessions", *(f"\n{row.line}" for row in rows))
    return rows


def mirrored(acpt, conn):
    """Check that the two ends of each session, by client, say the same of it."""
    equal(sorted(acpt), sorted(conn), "clients at both ends")
    for client, row in acpt.items():
        other = conn[client]
        equal((other.tx, other.rx), (row.rx, row.tx), "the two ends:", row.line, "\n", other.line)


def counted(role, port, rows):
    """Check that the service's row of tcpports is the sum of @rows."""
    found = [row for row in tables.by_column(tables.slurp("/proc/net/tcpports").decode("ascii"))
             if (row["ROLE"], row["PORT"]) == (role, str(port))]
    equal(len(found), 1, "rows of tcpports")
    ends = collections.Counter(row.end for row in rows)
    wanted = (role, port, len(rows),
              *(ends[end] for end in ("fin", "reset", "abort", "refused", "timeout", "unreach")),
              ends[None], sum(row.tx for row in rows), sum(row.rx for row in rows),
              sum(row.retx for row in rows))
    equal([found[0][name] for name in PORT_COLUMNS], list(map(str, wanted)), "tcpports")


def row_is(row, pid, comm, tx=None, rx=None, end="fin", by="use"):
    """Check whose @row is, how many bytes went each way, and how it ended."""
    equal((row.pid, row.comm, row.by, row.tx, row.rx, row.end),
          (pid, comm, by, row.tx if tx is None else tx, row.rx if rx is None else rx,
           end), row.line)
    check(row.ms is not None and row.netns == life.netns_inode(), row.line)
