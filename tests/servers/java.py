# SPDX-License-Identifier: GPL-2.0
"""Java: a server whose threads all are one process, with the file server of its own library."""

import os
import socket

from lib import owner, world
from lib.ktap import cases, check, equal, note, test, until
from servers import host
from servers.host import FAMILIES

# Starts soonest, which is all that is asked of it.
JAVA = ("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m",
        "-m", "jdk.httpserver")
SIZE = 300000


def get(sock, target):
    """Ask for @target; how many bytes went each way."""
    return host.ask(sock, f"GET /{target} HTTP/1.1"), len(host.answer(sock))


@test
def sessions():
    """Each session, however many requests it has: whose, and the bytes each way; while it is
    there and when it has ended. Its log has each request.
    """
    def case(name):
        family = FAMILIES[name]
        with host.Server() as server:
            os.mkdir(server.path("www"))
            server.write("www/file", "x" * SIZE)
            port = host.free_port()
            pid = server.start(*JAVA, "-b", world.host(family), "-p", str(port),
                               "-d", server.path("www"), ports=(port,))
            check(len(os.listdir(f"/proc/{pid}/task")) > 5, "too few threads")
            equal(host.holders(port), {(pid, "java")}, "who listens")
            # All its sockets are IPv6's; those for an IPv4 address have it mapped.
            host.options_are(host.listener_row(host.INET6, port), SO_REUSEADDR="1",
                             **({"IPV6_V6ONLY": "1"} if family == host.INET6 else {}))

            mapped = "::ffff:" if family == host.INET else ""
            wanted, socks, requests = {}, [], 0
            for number in range(5):
                sock = socket.create_connection((world.host(family), port))
                socks.append(sock)
                counts = [get(sock, "file") for _ in range(number + 1)]
                requests += len(counts)
                address, lport = sock.getsockname()[:2]
                wanted[mapped + address, lport] = tuple(map(sum, zip(*counts)))
            rows = host.established(port)
            equal({client: (row.rx, row.tx) for client, row in rows.items()}, wanted, "tcplive")
            equal({(row.pid, row.comm, row.by) for row in rows.values()},
                  {(pid, b"java", "use")}, "tcplive")
            equal({(row.pid, row.comm) for row in owner.read()
                   if row.stat == "ESTB" and row.local.endswith(f":{port}")}, {(pid, "java")},
                  "sockowner")
            for sock in socks:
                sock.close()
            rows = host.accepted(port, len(wanted))
            for client, row in rows.items():
                received, sent = wanted[client]
                host.row_is(row, pid, b"java", tx=sent, rx=received)
            host.mirrored({(address.removeprefix(mapped), rport): row
                           for (address, rport), row in rows.items()},
                          host.connected(port, len(wanted)))

            def logged():
                return [line for line in server.read("output0") if '"GET /file HTTP/1.1" 200' in line]
            until(lambda: len(logged()) >= requests, lambda: server.read("output0"))
            equal(len(logged()), requests, "requests in its log")
            note(f"{len(rows)} sessions, {requests} requests")
    cases(FAMILIES, case)
