# SPDX-License-Identifier: GPL-2.0
"""HAProxy: its log has both sides' addresses of each session, and bytes each way."""

import socket

from lib import life, world
from lib.ktap import cases, equal, note, test, until
from servers import host
from servers.host import FAMILIES

CONF = """
global
    log stdout format raw local0
    nbthread 2
defaults
    mode tcp
    log global
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend front
    bind {bind}
    log-format "session %pid %ci %cp %bi %bp %B %U %ts"
    default_backend back
backend back
    server one {server}
"""


def serve(server, bind, backend, port):
    """Start it, as a master and a worker."""
    conf = server.write("conf", CONF.format(bind=bind, server=backend))
    return server.start("haproxy", "-W", "-f", conf, ports=(port,))


@test
def sessions():
    """Of each session both sides: the worker's, with the bytes of the log."""
    def case(name):
        family = FAMILIES[name]
        with host.Server() as server, world.listener(family) as door:
            port, behind = host.free_port(), door.getsockname()[1]
            # (The backend's own end is here, too: the test is the server behind.)
            serve(server, f"{host.url_host(family)}:{port} backlog 33 maxconn 33",
                  f"{host.url_host(family)}:{behind}", port)
            sizes = {}
            for number in range(6):
                up, down = 1000 * number + 1, 50000 * number + 2
                client = socket.create_connection((world.host(family), port))
                sizes[client.getsockname()[:2]] = up, down
                client.sendall(b"u" * up)
                back = door.accept()[0]
                life.receive(back, up)
                back.sendall(b"d" * down)
                life.receive(client, down)
                first, second = (client, back) if number % 2 else (back, client)
                first.close()
                life.ended(second)
                second.close()

            def said():
                return [line.split()[1:] for line in server.read("output0")
                        if line.startswith("session ")]
            until(lambda: len(said()) >= len(sizes), lambda: server.read("output0"))
            front = host.accepted(port, len(sizes))
            back = host.connected(behind, len(sizes))
            equal(len(said()), len(sizes), "sessions in the log")
            for pid, address, cport, baddress, bport, down, up, _ in said():
                row = front[(address, int(cport))]
                equal((int(up), int(down)), sizes[row.remote], "sizes in the log")
                host.row_is(row, int(pid), b"haproxy", tx=int(down), rx=int(up))
                host.row_is(back[(baddress, int(bport))], int(pid), b"haproxy",
                            tx=int(up), rx=int(down))
            host.mirrored(front, host.connected(port, len(sizes)))
            host.mirrored(host.accepted(behind, len(sizes)), back)
            note(f"{len(front)} sessions of worker {pid}, the log's last: {said()[-1]}")
    cases(FAMILIES, case)


@test
def backend_gone():
    """Nobody is behind: the attempt is `refused`, and is the worker's."""
    def case(name):
        family = FAMILIES[name]
        with host.Server() as server:
            port, behind = host.free_port(), host.free_port()
            serve(server, f"{host.url_host(family)}:{port}",
                  f"{host.url_host(family)}:{behind}", port)
            with socket.create_connection((world.host(family), port)) as client:
                life.ended(client)
            until(lambda: [line for line in server.read("output0")
                           if line.startswith("session ")], "the log")
            (line,) = [line for line in server.read("output0") if line.startswith("session ")]
            pid = int(line.split()[1])
            tries = [row for row in life.read() if row.rport == behind]
            # It tries again: `retries` of its manual, which is 3.
            equal([(row.end, row.pid, row.comm, row.role, row.tx, row.rx) for row in tries],
                  [("refused", pid, b"haproxy", "conn", 0, 0)] * 4, line)
            equal(line.split()[-1][:2], "SC", "termination state")
    cases(FAMILIES, case)


@test
def listeners():
    """What `bind` asks for."""
    with host.Server() as server:
        port = host.free_port()
        serve(server, f":::{port} v4v6 backlog 33 tfo defer-accept", "127.0.0.1:1", port)
        row = host.listener_row(host.INET6, port)
        equal((row.sendq, row.diag), (33, ()), row.line)
        host.options_are(row, SO_REUSEADDR="1", SO_REUSEPORT="1", TCP_FASTOPEN="33",
                         TCP_DEFER_ACCEPT="1")
