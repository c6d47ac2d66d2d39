# SPDX-License-Identifier: GPL-2.0
"""Redis: CLIENT LIST names each connection's descriptor and peer, INFO counts all bytes."""

import os
import re
import socket

from lib import life, owner, tables, world
from lib.ktap import cases, check, equal, note, test
from servers import host
from servers.host import FAMILIES


class Client:
    """A connection that sends inline commands."""

    def __init__(self, family, port):
        self.sock = socket.create_connection((world.host(family), port))
        self.name = self.sock.getsockname()[:2]
        self.got = 0
        self.reader = self.sock.makefile("rb")

    def __call__(self, command):
        """The answer to @command: a line, or what such a line says the length of."""
        self.sock.sendall(command.encode() + b"\r\n")
        line = self.reader.readline()
        self.got += len(line)
        if line[:1] != b"$":
            return line[1:-2].decode()
        data = self.reader.read(int(line[1:]) + 2)
        self.got += len(data)
        return data[:-2].decode()

    def close(self):
        """Close it."""
        self.reader.close()
        self.sock.close()


def info(text):
    """INFO's values, by name."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def server_of(family, server, *more):
    """Start Redis; its port and PID."""
    port = host.free_port()
    pid = server.start("redis-server", "--bind", world.host(family), "--port", str(port),
                       "--save", "", "--dir", server.dir, "--tcp-keepalive", "300",
                       "--tcp-backlog", "300", *more, ports=(port,))
    return port, pid


@test
def sessions():
    """Each client that it lists, with its descriptor, and the bytes that it has counted."""
    def case(name):
        family = FAMILIES[name]
        with host.Server() as server:
            port, pid = server_of(family, server)
            first = Client(family, port)
            equal(info(first("INFO server"))["process_id"], str(pid), "process_id")
            clients = [first] + [Client(family, port) for _ in range(5)]
            for number, client in enumerate(clients):
                client(f"SET key{number} {'v' * (9000 * number + 1)}")
                client(f"GET key{number}")

            listed = dict(re.findall(r"\baddr=(\S+) .*?\bfd=(\d+)", first("CLIENT LIST")))
            equal(len(listed), len(clients), "clients listed")
            held = {row.foreign: row for row in owner.read()
                    if row.stat == "ESTB" and row.local.endswith(f":{port}") and row.pid}
            equal(len(held), len(clients), "sessions held")
            rows = host.established(port)
            for client in clients:
                fd = listed[":".join((host.url_host(family), str(client.name[1])))]
                row = held[tables.endpoint(socket.inet_pton(family, client.name[0]),
                                           client.name[1])]
                equal((row.pid, row.comm, row.fd), (pid, "redis-server", int(fd)), row)
                row = rows[client.name]
                equal((row.pid, row.comm, row.by, row.tx, row.state),
                      (pid, b"redis-server", "use", client.got, "ESTB"), row.line)

            before = first.got
            stats = info(first("INFO stats"))
            answered = first.got - before
            for client in clients:
                client.close()
            rows = host.accepted(port, len(clients))
            for row in rows.values():
                host.row_is(row, pid, b"redis-server")
            equal(sum(row.rx for row in rows.values()), int(stats["total_net_input_bytes"]),
                  "bytes received")
            equal(sum(row.tx for row in rows.values()) - answered,
                  int(stats["total_net_output_bytes"]), "bytes sent")
            equal(len(rows), int(stats["total_connections_received"]), "sessions")
            host.mirrored(rows, host.connected(port, len(clients)))
            note(f"{len(rows)} sessions, {stats['total_net_input_bytes']} bytes in, "
                 f"{stats['total_net_output_bytes']} out")
    cases(FAMILIES, case)


@test
def threads():
    """With threads that do its I/O the process is the same, whoever reads."""
    with host.Server() as server:
        port, pid = server_of(host.INET, server, "--io-threads", "4")
        clients = [Client(host.INET, port) for _ in range(8)]
        for client in clients:
            client("SET key value")
        equal({row.pid for row in host.established(port).values()}, {pid}, "PID in tcplive")
        names = set(os.listdir(f"/proc/{pid}/task"))
        check(len(names) > 4, "threads:", names)
        for client in clients:
            client.close()
        for row in host.accepted(port, len(clients)).values():
            host.row_is(row, pid, b"redis-server")


@test
def options():
    """What it sets: on the listener, and on each connection."""
    def case(name):
        family = FAMILIES[name]
        with host.Server() as server:
            port, _ = server_of(family, server)
            row = host.listener_row(family, port)
            equal((row.sendq, row.diag), (300, ()), row.line)
            six = {"IPV6_V6ONLY": "1"} if family == host.INET6 else {}
            host.options_are(row, SO_REUSEADDR="1", **six)
            client = Client(family, port)
            client("PING")
            table = "tcpstat" if family == host.INET else "tcp6stat"
            (row,) = [row for row in tables.read(table)
                      if row.stat == "ESTB" and row.local.endswith(f":{port}")]
            host.options_are(row, SO_REUSEADDR="1", SO_KEEPALIVE="1", TCP_NODELAY="1",
                             TCP_KEEPIDLE="300", TCP_KEEPINTVL="100", TCP_KEEPCNT="3", **six)
            client.close()
    cases(FAMILIES, case)


@test
def shut_down():
    """Clients that it closes itself, when told to end: a row each, and of no others."""
    with host.Server() as server:
        port, pid = server_of(host.INET, server)
        clients = [Client(host.INET, port) for _ in range(3)]
        for client in clients:
            client("PING")
        clients[0].sock.sendall(b"SHUTDOWN NOSAVE\r\n")
        for client in clients:
            life.ended(client.sock)
            client.close()
        for row in host.accepted(port, len(clients)).values():
            host.row_is(row, pid, b"redis-server")
