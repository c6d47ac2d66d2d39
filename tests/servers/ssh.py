# SPDX-License-Identifier: GPL-2.0
"""OpenSSH: the listener executes another program for each session, which forks."""

import os
import pwd
import re
import socket
import subprocess

from lib import life, owner, tables, world
from lib.ktap import cases, check, equal, note, test, until
from servers import host
from servers.host import FAMILIES, INET

CONF = """
Port {port}
ListenAddress 127.0.0.1
ListenAddress ::1
HostKey {dir}/key
AuthorizedKeysFile {dir}/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
IPQoS af21 cs1
"""
USER = "tester"
# What the session says of itself: its parent is the process that serves it.
WHO = 'echo $PPID $(cat /proc/$PPID/comm) $SSH_CONNECTION; {}'


def parent_of(pid):
    """The process that has forked @pid."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


class Ssh(host.Server):
    """sshd, and a user who can log in."""

    def __enter__(self):
        super().__enter__()
        for name in "key", "user":
            world.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name))
        if USER not in (user.pw_name for user in pwd.getpwall()):
            with open("/etc/passwd", "a", encoding="ascii") as file:
                file.write(f"{USER}:x:{world.PLAIN_USER}:{world.PLAIN_USER}::/tmp:/bin/sh\n")
            with open("/etc/shadow", "a", encoding="ascii") as file:
                file.write(f"{USER}:*:::::::\n")
        os.makedirs("/run/sshd", exist_ok=True)
        self.port = host.free_port()
        conf = self.write("conf", CONF.format(port=self.port, dir=self.dir))
        self.pid = self.start("/usr/sbin/sshd", "-D", "-e", "-f", conf, ports=(self.port,))
        return self

    def client(self, family, user, *more, run=(), **how):
        """A client."""
        return subprocess.Popen(
            ("ssh", "-v", "-F", "none", "-i", self.path("user"), "-p", str(self.port),
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
             "-o", "BatchMode=yes", *more, f"{user}@{world.host(family)}", *run),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


@test
def sessions():
    """A session is that of the sshd-session which carries it: the parent of what it runs."""
    with Ssh() as server:
        def case(name):
            family, user = FAMILIES[name.split()[0]], name.split()[1]
            before = {row.seq for row in life.read()}
            size = 200000
            ssh = server.client(family, user,
                                run=(WHO.format(f"read line; head -c {size} /dev/zero"),))
            pid, comm, client, cport, address, port = ssh.stdout.readline().decode().split()
            equal((address, int(port)), (world.host(family), server.port), "SSH_CONNECTION")
            client = client, int(cport)

            row = host.established(server.port)[client]
            equal((row.pid, row.comm, row.by, row.state), (int(pid), comm.encode(), "use", "ESTB"),
                  row.line)
            end = tables.endpoint(socket.inet_pton(family, client[0]), client[1])
            holders = {(one.pid, one.comm) for one in owner.read()
                       if one.foreign == end and one.pid}
            # The monitor that has forked it holds it, too.
            equal(holders, {(int(pid), comm), (parent_of(pid), comm)}, "who holds it")
            table = "tcpstat" if family == INET else "tcp6stat"
            (one,) = [one for one in tables.read(table)
                      if one.foreign == end and one.stat == "ESTB"]
            options = {"IP_TOS": "32"} if family == INET else {"IPV6_TCLASS": "32",
                                                               "IPV6_V6ONLY": "1"}
            host.options_are(one, SO_REUSEADDR="1", SO_KEEPALIVE="1", TCP_NODELAY="1", **options)

            out, said = ssh.communicate(b"go\n")
            equal((len(out), ssh.returncode), (size, 0), "what came", said)
            def rows():
                return [row for row in life.read() if row.seq not in before]
            until(lambda: len(rows()) >= 2, rows)
            equal(len(rows()), 2, "rows")
            (acpt,) = [row for row in rows() if row.role == "acpt"]
            (conn,) = [row for row in rows() if row.role == "conn"]
            equal(acpt.remote, client, "client")
            host.row_is(acpt, int(pid), comm.encode())
            host.row_is(conn, ssh.pid, b"ssh")
            host.mirrored({client: acpt}, {client: conn})
            counts = re.search(rb"Transferred: sent (\d+), received (\d+) bytes", said)
            # It counts packets: neither side's line of greeting, nor what has no packet yet.
            for whole, counted in ((conn.tx, int(counts[1])), (conn.rx, int(counts[2]))):
                check(counted <= whole < counted + 2000, conn.line, counts[0])
            note(f"{pid} {comm} (listener {server.pid}), {counts[0].decode()}")
        cases([f"{family} {user}" for family in FAMILIES for user in (USER, "root")], case)
        equal(host.holders(server.port), {(server.pid, "sshd")}, "who listens")
        for family in FAMILIES.values():
            row = host.listener_row(family, server.port)
            host.options_are(row, SO_REUSEADDR="1",
                             **({} if family == INET else {"IPV6_V6ONLY": "1"}))


@test
def forwarded():
    """A connection that a session forwards is the session's, too."""
    with Ssh() as server, world.listener(INET) as door:
        behind = door.getsockname()[1]
        ssh = server.client(INET, USER, "-W", f"127.0.0.1:{behind}")
        back = door.accept()[0]
        ssh.stdin.write(b"u" * 5000)
        ssh.stdin.flush()
        life.receive(back, 5000)
        back.sendall(b"d" * 7000)
        equal(len(ssh.stdout.read(7000)), 7000, "what came back")
        (outer,) = host.established(server.port).values()
        back.close()
        ssh.communicate()
        (row,) = host.connected(behind, 1).values()
        host.row_is(row, outer.pid, b"sshd-session", tx=5000, rx=7000)
        (row,) = host.accepted(server.port, 1).values()
        host.row_is(row, outer.pid, b"sshd-session")


@test
def not_let_in():
    """Who is refused, and who only looks: no session is the listener's."""
    with Ssh() as server:
        stranger = server.client(INET, "nobody", run=("true",))
        said = stranger.communicate()
        equal(stranger.returncode, 255, said)
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            check(sock.recv(100).startswith(b"SSH-2.0"), "greeting")
        for row in host.accepted(server.port, 2).values():
            check(row.comm in (b"sshd-session", b"sshd-auth"), row.line)
            check(row.pid != server.pid, row.line)
            note(row.line)
