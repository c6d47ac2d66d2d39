# SPDX-License-Identifier: GPL-2.0
"""PostgreSQL: its postmaster accepts, and a child that it forks serves each session."""

import os
import re
import subprocess

from lib import life, owner, tables, world
from lib.ktap import cases, check, equal, note, test, until
from servers import host
from servers.host import FAMILIES, INET

HBA = """
local all all trust
host all all 127.0.0.1/32 trust
host all all ::1/128 trust
"""
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")


def programs():
    """The directory of its programs."""
    (version,) = os.listdir("/usr/lib/postgresql")
    return f"/usr/lib/postgresql/{version}/bin"


class Postgres(host.Server):
    """PostgreSQL with a database cluster of its own, on both loopback addresses."""

    def __enter__(self):
        super().__enter__()
        self.data = self.path("data")
        # (It is the guest that may crash, and then nobody reads this.)
        world.run(*AS_POSTGRES, f"{programs()}/initdb", "-D", self.data, "--no-sync",
                 "--no-locale", "--auth=trust", cwd="/")
        self.port = host.free_port()
        hba = self.write("hba", HBA)
        self.pid = self.start(
            *AS_POSTGRES, f"{programs()}/postgres", "-D", self.data, "-p", str(self.port),
            *(f"-c{setting}" for setting in (
                f"hba_file={hba}", "listen_addresses=127.0.0.1,::1", "fsync=off",
                f"unix_socket_directories={self.dir}", "max_connections=30",
                "tcp_keepalives_idle=77", "tcp_user_timeout=5000", "log_connections=on",
                "log_disconnections=on", "lc_messages=C")), ports=(self.port,))
        until(lambda: any("ready to accept" in line for line in self.read("output0")),
              lambda: self.read("output0"))
        return self

    def psql(self, family, name, **more):
        """A client that runs what it reads."""
        return subprocess.Popen(
            [f"{programs()}/psql", "-XAtq", "-F", " ", "-v", "ON_ERROR_STOP=1",
             f"host={world.host(family)} port={self.port} user=postgres dbname=postgres "
             f"application_name={name} gssencmode=disable"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, **more)


def ask(psql, query):
    """The one line that @psql answers @query with."""
    psql.stdin.write(query + ";\n")
    psql.stdin.flush()
    return psql.stdout.readline().strip()


def leave(psql):
    """End @psql."""
    psql.stdin.close()
    equal(psql.stdout.read(), "", "what psql said at its end")
    psql.stdout.close()
    equal(psql.wait(), 0, "status of psql")


@test
def sessions():
    """Each session is that of its backend, and pg_stat_activity says which that is; its
    socket has the options that PostgreSQL's settings gave it.
    """
    with Postgres() as server:
        def case(name):
            family = FAMILIES[name]
            clients = [server.psql(family, f"test{number}") for number in range(4)]
            backends = {}
            for number, client in enumerate(clients):
                size = 70000 * number + 5
                equal(len(ask(client, f"select repeat('x', {size})")), size, "an answer")
                pid, port = ask(client, "select pg_backend_pid(), inet_client_port()").split()
                backends[int(pid)] = int(port)
            listed = ask(clients[0], "select string_agg(pid || '=' || client_port, ',') from "
                         f"pg_stat_activity where client_addr = '{world.host(family)}'")
            listed = {int(pid): int(port) for pid, port in
                      (one.split("=") for one in listed.split(","))}
            equal(listed, backends, "pg_stat_activity")
            check(server.pid not in backends, "they are not the postmaster")

            rows = host.established(server.port)
            equal({row.pid: row.rport for row in rows.values()}, backends, "tcplive")
            equal({(row.comm, row.by, row.state) for row in rows.values()},
                  {(b"postgres", "use", "ESTB")}, "tcplive")
            held = {row.pid: int(row.foreign.rsplit(":", 1)[1]) for row in owner.read()
                    if row.stat == "ESTB" and row.local.endswith(f":{server.port}")}
            equal(held, backends, "sockowner")
            table = "tcpstat" if family == INET else "tcp6stat"
            for row in tables.read(table):
                if row.stat == "ESTB" and row.local.endswith(f":{server.port}"):
                    equal((row.diag, row.recvq, row.sendq), ((), 0, 0), row.line)
                    host.options_are(row, SO_REUSEADDR="1", SO_KEEPALIVE="1", TCP_NODELAY="1",
                                     TCP_KEEPIDLE="77", TCP_USER_TIMEOUT="5000",
                                     **({} if family == INET else {"IPV6_V6ONLY": "1"}))
            mine = {backends_port: client.pid for client, backends_port in
                    zip(clients, backends.values())}
            for client in clients:
                leave(client)

            def now():
                return [row for row in life.read() if row.laddr == world.host(family) and
                        server.port in (row.lport, row.rport)]
            until(lambda: len(now()) >= 2 * len(clients), now)
            acpt = {row.remote: row for row in now() if row.role == "acpt"}
            conn = {row.local: row for row in now() if row.role == "conn"}
            host.mirrored(acpt, conn)
            equal({row.pid: row.rport for row in acpt.values()}, backends, "tcplife")
            for row in acpt.values():
                host.row_is(row, row.pid, b"postgres")
            for row in conn.values():
                host.row_is(row, mine[row.lport], b"psql")
            largest = max(row.tx for row in acpt.values())
            check(210005 < largest < 220000, "the largest answer:", largest)
            note(f"backends and their clients' ports: {backends}")
        cases(FAMILIES, case)

        equal({who for who in host.holders(server.port)}, {(server.pid, "postgres")},
              "who listens")
        for family in FAMILIES.values():
            row = host.listener_row(family, server.port)
            equal((row.diag, row.recvq), ((), 0), row.line)
            host.options_are(row, SO_REUSEADDR="1",
                             **({} if family == INET else {"IPV6_V6ONLY": "1"}))
        killed(server)


def killed(server):
    """A backend that is told to end closes its own session; the log says when it was."""
    client = server.psql(INET, "victim")
    pid, port = map(int, ask(client, "select pg_backend_pid(), inet_client_port()").split())
    other = server.psql(INET, "killer")
    equal(ask(other, f"select pg_terminate_backend({pid})"), "t", "pg_terminate_backend")
    (row,) = host.ended(1, lambda row: row.role == "acpt" and row.rport == port)
    host.row_is(row, pid, b"postgres")
    leave(other)
    client.stdin.close()
    client.stdout.read()
    client.stdout.close()
    client.wait()
    log = "\n".join(server.read("output0"))
    check(re.search(rf"disconnection: .* port={port}\b", log), log)
