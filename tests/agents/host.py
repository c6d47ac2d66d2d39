# SPDX-License-Identifier: GPL-2.0
"""A host with agents: its units, what they answer, and sessions for them to see."""

import contextlib
import os
import random
import re
import socket
import subprocess
import urllib.error
import urllib.request

from lib import life, world
from lib.ktap import Failed, until

FILES = "/knetstat/scripts/agents"
DROPINS = "/run/systemd/system"
METRICS = "http://127.0.0.1:19100/metrics"


def run(*command, **more):
    """The output of @command, which must succeed, with what it says."""
    return world.run(*command, stderr=subprocess.STDOUT, **more)


def systemctl(*arguments):
    """systemctl(1), which must succeed; else the unit's log is in the failure."""
    try:
        return run("systemctl", *arguments)
    except Failed as failed:
        log = run("journalctl", "-n", "20", "--no-pager", "-o", "cat")
        raise Failed(f"{failed}\n{log}") from None


@contextlib.contextmanager
def dropin(unit, text):
    """Have @unit with more settings."""
    folder = f"{DROPINS}/{unit}.d"
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/test.conf"
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    systemctl("daemon-reload")
    try:
        yield
    finally:
        os.unlink(path)
        systemctl("daemon-reload")


@contextlib.contextmanager
def started(*units):
    """Have @units running."""
    for unit in units:
        systemctl("restart", unit)
    try:
        yield
    finally:
        systemctl("stop", *units)


def http(url, **headers):
    """Status and text of a GET."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def answers(url):
    """Wait until @url is served, and return what it says."""
    def ask():
        try:
            return http(url)[1]
        except OSError:
            return None
    return until(ask, url)


def samples(text, name, **labels):
    """The values of the metric @name with these @labels, in Prometheus' text."""
    values = []
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found:
            has = dict(re.findall(r'(\w+)="([^"]*)"', found[1] or ""))
            if labels.items() <= has.items():
                values.append(float(found[2]))
    return values


def free_port():
    """A port that nobody listens on; not one of those that connections get, which Zabbix's
    agent does not take.
    """
    while True:
        port = random.randrange(1024, 32768)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def sessions(count):
    """Make @count sessions with a port of their own, and return it when they are recorded."""
    with world.listener(socket.AF_INET, backlog=64) as door:
        port = door.getsockname()[1]
        for _ in range(count):
            with world.connect(door) as client:
                server = door.accept()[0]
                client.sendall(b"hello")
                life.receive(server, 5)
                client.close()
                life.ended(server)
                server.close()
    until(lambda: len(recorded(port)) == 2 * count, lambda: recorded(port))
    return port


def recorded(port):
    """The SEQs of the sessions with @port."""
    with open(life.FILE, encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return [int(row[0]) for row in rows if str(port) in (row[9], row[11])]


class Held:
    """A process of another user, with a name, that holds a listener; full if asked for."""

    def __init__(self, name="stubborn", full=False, backlog=1):
        self.full = full
        self.clients = []
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            try:
                ours.close()
                world.LIBC.prctl(15, name.encode(), 0, 0, 0)
                os.setresgid(1000, 1000, 1000)
                os.setresuid(1000, 1000, 1000)
                door = world.listener(socket.AF_INET, backlog=backlog)
                theirs.sendall(str(door.getsockname()[1]).encode())
                theirs.recv(1)
            finally:
                os._exit(0)
        theirs.close()
        self.line = ours
        self.port = int(ours.recv(16))
        if full:
            for _ in range(backlog + 1):
                self.clients.append(socket.create_connection(("127.0.0.1", self.port)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.line.close()
        os.waitpid(self.pid, 0)
        for client in self.clients:
            client.close()
