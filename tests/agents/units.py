# SPDX-License-Identifier: GPL-2.0
"""The systemd units: that they start, with what rights, and what those rights are for."""

import http.client
import os
import socket
import stat

from agents import host
from lib import world
from lib.ktap import check, equal, test, until

TEXTFILE = "/var/lib/prometheus/node-exporter/knetstat.prom"
SOCKET = "knetstat-metrics.socket"
SERVICE = "knetstat-metrics@.service"


def asked():
    """What the socket answers."""
    status, text = host.http(host.METRICS)
    equal(status, 200, text)
    return text


def names(text):
    """The names of processes in it."""
    return {line.split('comm="')[1].split('"')[0] for line in text.splitlines()
            if line.startswith("knetstat_sockets{")}


@test
def verify():
    """systemd-analyze has nothing to say about any of them."""
    units = sorted(os.listdir(f"{host.FILES}/systemd"))
    check(len(units) >= 5, units)
    said = host.run("systemd-analyze", "verify", "--man=no",
                    *(f"/etc/systemd/system/{unit}" for unit in units))
    equal(said, "", "systemd-analyze verify")


@test
def http_socket():
    """A request is answered by a process of its own, and no other path or method is."""
    with host.started(SOCKET), host.Held() as held:
        text = asked()
        equal(host.samples(text, "knetstat_listener_accept_queue_limit", port=str(held.port)),
              [1.0], text)
        equal(host.http(f"{host.METRICS}x")[0], 404, "another path")
        connection = http.client.HTTPConnection("127.0.0.1", 19100, timeout=60)
        connection.request("POST", "/metrics", body="x")
        equal(connection.getresponse().status, 405, "POST")
        connection.close()
        until(lambda: not host.run("systemctl", "list-units", "--plain", "--no-legend",
                                   "knetstat-metrics@*").strip(), "the end of all instances")


@test
def http_rights():
    """With its two capabilities it names everybody's processes and counts all namespaces'
    sessions; without them it still answers.
    """
    elsewhere = world.Netns()
    with elsewhere:
        port = host.sessions(3)
    with host.started(SOCKET), host.Held("stubborn") as held:
        text = asked()
        check("stubborn" in names(text), names(text))
        equal(sum(host.samples(text, "knetstat_sessions_total", port=str(port))), 6, text)
        with host.dropin(SERVICE, "[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n"):
            text = asked()
            check("stubborn" not in names(text), names(text))
            equal(host.samples(text, "knetstat_sessions_total", port=str(port)), [], text)
            equal(host.samples(text, "knetstat_listener_sockets", port=str(held.port)), [1.0],
                  text)


@test
def http_user():
    """The process is nobody's: a user of its own, two capabilities, no more."""
    with host.dropin(SERVICE, "[Service]\nExecStart=\n"
                     "ExecStart=bash -c 'printf \"HTTP/1.0 200 OK\\r\\n\\r\\n\"; "
                     "cat /proc/self/status'\n"), host.started(SOCKET):
        connection = socket.create_connection(("127.0.0.1", 19100))
        said = b""
        while part := connection.recv(65536):
            said += part
    status = dict(line.split(":", 1) for line in said.decode().splitlines() if ":" in line)
    check(61184 <= int(status["Uid"].split()[1]) <= 65519, "a dynamic user:", status["Uid"])
    # CAP_NET_ADMIN is 12, CAP_SYS_PTRACE 19.
    for which in ("CapEff", "CapBnd"):
        equal(int(status[which], 16), 1 << 12 | 1 << 19, which)
    equal(status["NoNewPrivs"].strip(), "1", "NoNewPrivs")
    equal(status["Seccomp"].strip(), "2", "Seccomp")


@test
def http_hidden():
    """What the unit must not have: it would hide what the program reads."""
    elsewhere = world.Netns()
    with elsewhere:
        port = host.sessions(1)
    with host.started(SOCKET), host.Held("stubborn") as held:
        with host.dropin(SERVICE, "[Service]\nPrivateNetwork=yes\n"):
            text = asked()
            equal(host.samples(text, "knetstat_listener_sockets", port=str(held.port)), [],
                  text)
        with host.dropin(SERVICE, "[Service]\nProcSubset=pid\n"):
            equal(host.http(host.METRICS)[0], 503, "without /proc/net")
        with host.dropin(SERVICE, "[Service]\nPrivateUsers=yes\n"):
            text = asked()
            check("stubborn" not in names(text), names(text))
            equal(host.samples(text, "knetstat_sessions_total", port=str(port)), [], text)
        # This one does no harm to who has CAP_SYS_PTRACE.
        with host.dropin(SERVICE, "[Service]\nProtectProc=invisible\n"):
            check("stubborn" in names(asked()), "nobody")


@test
def textfile():
    """The service writes the file whole, for others to read; the timer has it written anew."""
    host.systemctl("start", "knetstat-textfile.service")
    equal(stat.S_IMODE(os.stat(TEXTFILE).st_mode), 0o644, "mode")
    equal(os.listdir(os.path.dirname(TEXTFILE)), ["knetstat.prom"], "what is left there")
    with open(TEXTFILE, encoding="utf-8") as file:
        text = file.read()
    host.run("promtool", "check", "metrics", input=text)
    os.unlink(TEXTFILE)
    # The rights are as the socket's: a name and another namespace's sessions.
    elsewhere = world.Netns()
    with elsewhere:
        port = host.sessions(1)
    with host.Held("stubborn"), host.started("knetstat-textfile.timer"):
        until(lambda: os.path.exists(TEXTFILE), "the timer's file")
        with open(TEXTFILE, encoding="utf-8") as file:
            text = file.read()
    check("stubborn" in names(text), names(text))
    equal(sum(host.samples(text, "knetstat_sessions_total", port=str(port))), 2, text)
    os.unlink(TEXTFILE)


@test
def without_module():
    """Nothing loaded: the socket says so in its answer, the others fail, and all come back."""
    world.rmmod()
    try:
        with host.started(SOCKET):
            status, text = host.http(host.METRICS)
            equal(status, 503, text)
            check("not loaded" in text, text)
        failed = host.subprocess.run(["systemctl", "start", "knetstat-textfile.service"],
                                     check=False, capture_output=True)
        check(failed.returncode != 0, "knetstat-textfile.service starts")
        check(not os.path.exists(TEXTFILE), "it wrote something")
    finally:
        world.insmod()
        host.systemctl("reset-failed")
    with host.started(SOCKET):
        asked()
