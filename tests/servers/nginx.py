# SPDX-License-Identifier: GPL-2.0
"""nginx: its access log says which worker served whom, and how many bytes each way."""

import collections
import os
import socket
import struct

from lib import owner, tables, world
from lib.ktap import cases, check, equal, note, test, until
from servers import host
from servers.host import FAMILIES, INET, INET6

CONF = """
user www-data;
daemon off;
worker_processes 2;
pid {dir}/pid;
error_log stderr;
events {{ worker_connections 64; accept_mutex off; }}
http {{
    log_format all '$pid $remote_addr $remote_port $request_length $bytes_sent $status';
    access_log {dir}/log all;
    client_body_temp_path {dir}/body;
    server {{
        {listen}
        root {dir}/www;
        dav_methods PUT;
        lingering_close off;
    }}
}}
"""


class Nginx(host.Server):
    """nginx with files of three sizes."""

    def __enter__(self):
        super().__enter__()
        os.mkdir(self.path("www"))
        os.chmod(self.path("www"), 0o777)
        for name, size in (("small", 100), ("large", 3000000), ("empty", 0)):
            self.write(f"www/{name}", "x" * size)
        return self

    def serve(self, *listens, ports):
        """Start it with these `listen` lines; the master's PID."""
        conf = self.write("conf", CONF.format(dir=self.dir, listen="\n        ".join(
            f"listen {line};" for line in listens)))
        return self.start("nginx", "-c", conf, ports=ports)

    def logged(self, count):
        """Of each client the worker that served it, and the sums of bytes received and sent:
        of @count requests.
        """
        until(lambda: len(self.read("log")) >= count, lambda: self.read("log"))
        equal(len(self.read("log")), count, "requests in the log")
        clients = collections.defaultdict(lambda: [set(), 0, 0])
        for line in self.read("log"):
            pid, address, port, received, sent, _ = line.split()
            client = clients[(address, int(port))]
            client[0].add(int(pid))
            client[1] += int(received)
            client[2] += int(sent)
        return dict(clients)


def children(pid):
    """The processes that @pid has forked."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return set(map(int, file.read().split()))


def to_end(sock):
    """Read all."""
    data = b""
    while part := sock.recv(1 << 16):
        data += part
    return data


@test
def sessions():
    """Each session of plain requests, of several on one connection, of an upload, of one that
    the client resets: whose, how many bytes each way, how it ended.
    """
    def case(name):
        family = FAMILIES[name]
        with Nginx() as nginx:
            port = host.free_port()
            master = nginx.serve(f"{host.url_host(family)}:{port}", ports=(port,))

            def connect():
                sock = socket.create_connection((world.host(family), port))
                return sock, sock.getsockname()[:2]

            ends, requests = {}, 0
            for _ in range(6):
                for target in "small", "large", "empty", "missing":
                    sock, client = connect()
                    with sock:
                        host.ask(sock, f"GET /{target} HTTP/1.1", "Connection: close")
                        to_end(sock)
                    ends[client] = "fin"
                    requests += 1
            for _ in range(3):
                sock, client = connect()
                with sock:
                    for target in "small", "large", "small":
                        host.ask(sock, f"GET /{target} HTTP/1.1")
                        host.answer(sock)
                ends[client] = "fin"
                requests += 3
            sock, client = connect()
            with sock:
                host.ask(sock, "PUT /new HTTP/1.1", "Connection: close", "Content-Length: 200000",
                    body=b"y" * 200000)
                check(b" 201 " in to_end(sock), "the upload")
            ends[client] = "fin"
            sock, client = connect()
            host.ask(sock, "GET /small HTTP/1.1")
            host.answer(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            ends[client] = "reset"
            requests += 2

            said = nginx.logged(requests)
            workers = children(master)
            rows = host.accepted(port, len(ends))
            equal(sorted(rows), sorted(said), "clients")
            for client, row in rows.items():
                pids, received, sent = said[client]
                equal(len(pids), 1, "workers of a connection")
                check(pids <= workers, pids, "are not workers:", workers)
                host.row_is(row, *pids, b"nginx", tx=sent, rx=received, end=ends[client])
            host.mirrored(rows, host.connected(port, len(ends)))
            note(f"{len(rows)} sessions, {requests} requests, of workers "
                 f"{collections.Counter(row.pid for row in rows.values())}")
    cases(FAMILIES, case)


@test
def alive():
    """A connection that stays: the same in tcplive, and the worker holds it."""
    def case(name):
        family = FAMILIES[name]
        with Nginx() as nginx:
            port = host.free_port()
            nginx.serve(f"{host.url_host(family)}:{port}", ports=(port,))
            socks = []
            for _ in range(4):
                sock = socket.create_connection((world.host(family), port))
                host.ask(sock, "GET /small HTTP/1.1")
                host.answer(sock)
                socks.append(sock)
            said = nginx.logged(len(socks))
            rows = host.established(port)
            equal(sorted(rows), sorted(said), "clients")
            held = {}
            for row in owner.read():
                if row.stat == "ESTB" and row.local.endswith(f":{port}"):
                    held.setdefault(row.foreign, set()).add(row.pid)
            for client, row in rows.items():
                pids, received, sent = said[client]
                equal((row.pid, row.comm, row.by, row.tx, row.rx, row.state),
                      (*pids, b"nginx", "use", sent, received, "ESTB"), row.line)
                address = socket.inet_pton(family, client[0])
                equal(held[tables.endpoint(address, client[1])], pids, "who holds it")
            for sock in socks:
                sock.close()
            equal({row.end for row in host.accepted(port, len(socks)).values()}, {"fin"}, "END")
    cases(FAMILIES, case)


@test
def listeners():
    """What `listen` asks for is what the rows of the listeners say; master and workers hold
    them, and with `reuseport` there is one for each worker.
    """
    with Nginx() as nginx:
        plain, tuned, both, many = (host.free_port() for _ in range(4))
        master = nginx.serve(
            f"127.0.0.1:{plain}", f"[::1]:{plain}",
            f"127.0.0.1:{tuned} backlog=77 deferred rcvbuf=16k sndbuf=32k fastopen=5 "
            "so_keepalive=30:5:3",
            f"[::]:{both} ipv6only=off", f"[::1]:{many} reuseport",
            ports=(plain, tuned, both, many))
        until(lambda: len(children(master)) == 2, lambda: children(master))
        for family in INET, INET6:
            row = host.listener_row(family, plain)
            equal((row.recvq, row.sendq, row.diag, row.uid), (0, 511, (), 0), row.line)
            host.options_are(row, SO_REUSEADDR="1",
                             **({"IPV6_V6ONLY": "1"} if family == INET6 else {}))
        row = host.listener_row(INET, tuned)
        equal(row.sendq, 77, row.line)
        host.options_are(row, SO_REUSEADDR="1", SO_KEEPALIVE="1", TCP_FASTOPEN="5",
                         TCP_DEFER_ACCEPT="1", SO_RCVBUF="16384", SO_SNDBUF="32768",
                         TCP_KEEPIDLE="30", TCP_KEEPINTVL="5", TCP_KEEPCNT="3")
        host.options_are(host.listener_row(INET6, both), SO_REUSEADDR="1")
        rows = host.listener_rows(INET6, many)
        equal(len(rows), 2, "listeners of reuseport")
        for row in rows:
            host.options_are(row, SO_REUSEADDR="1", SO_REUSEPORT="1", IPV6_V6ONLY="1")
        everybody = {(pid, "nginx") for pid in {master} | children(master)}
        for port in plain, tuned, both:
            equal(host.holders(port), everybody, "who holds", port)
        equal({row.proto for row in owner.read() if row.local.endswith(f":{both}")}, {"tcp46"},
              "PROTO of ipv6only=off")
