# SPDX-License-Identifier: GPL-2.0
"""Agents that ask for values: Zabbix agent 2, collectd."""

import contextlib
import glob
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile

from agents import host
from lib.ktap import Failed, check, equal, note, test, until

CONF = "/etc/zabbix/zabbix_agent2.d/knetstat.conf"
RIGHTS = "[Service]\nAmbientCapabilities=CAP_NET_ADMIN CAP_SYS_PTRACE\n"


@contextlib.contextmanager
def zabbix():
    """Debian's agent with our file, as its unit runs it with the capabilities; its port."""
    port = host.free_port()
    shutil.copy(f"{host.FILES}/zabbix/knetstat.conf", CONF)
    own = "/etc/zabbix/zabbix_agent2.d/test.conf"
    with open(own, "w", encoding="ascii") as file:
        file.write(f"ListenPort={port}\nListenIP=127.0.0.1\nTimeout=30\n")
    for folder in ("/run/zabbix", "/var/lib/zabbix", "/var/log/zabbix"):
        os.makedirs(folder, exist_ok=True)
        shutil.chown(folder, "zabbix", "zabbix")
    try:
        with host.dropin("zabbix-agent2.service", RIGHTS), host.started("zabbix-agent2.service"):
            yield port
    finally:
        os.unlink(own)
        os.unlink(CONF)


def ask(port, key):
    """What the agent at @port says of an item, as a server asks."""
    def once():
        try:
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(b"ZBXD\1" + struct.pack("<II", len(key), 0) + key.encode())
                said = b""
                while part := sock.recv(65536):
                    said += part
        except ConnectionRefusedError:      # not listening yet
            if host.run("systemctl", "show", "-P", "ActiveState",
                        "zabbix-agent2").strip() != "active":
                raise Failed(host.run("journalctl", "-u", "zabbix-agent2", "-o", "cat")) from None
            return None
        return said[13:].decode()
    answer = until(once, f"an answer to {key}")
    check(not answer.startswith("ZBX_NOTSUPPORTED"), key, answer)
    return answer


@test
def zabbix_items():
    """A server gets values, arrays to discover from, and each session once."""
    with zabbix() as port, host.Held("stubborn", full=True) as held:
        got = ask(port, f"knetstat.value[knetstat_listener_accept_queue,{held.port}]")
        equal(got, "2", "the accept queue")
        done = host.sessions(4)
        equal(ask(port, f"knetstat.value[knetstat_sessions_total,{done},acpt,fin]"), "4",
              "sessions")
        equal(ask(port, f"knetstat.value[knetstat_sessions_total,{done},fin]"), "8",
              "sessions of both sides")
        text = ask(port, "knetstat.metrics")
        equal(host.samples(text, "knetstat_listener_full_sockets", port=str(held.port)), [1.0],
              text)
        doors = json.loads(ask(port, "knetstat.listeners"))
        mine = [door for door in doors if door["lport"] == held.port]
        equal([(door["comm"], door["recv_q"], door["diag"]) for door in mine],
              [("stubborn", 2, ["!A"])], "discovered")
        note(json.dumps(mine[0]))
        ill = json.loads(ask(port, "knetstat.trouble"))
        check(held.port in [one["lport"] for one in ill], ill)
        ports = json.loads(ask(port, "knetstat.ports"))
        check({"role": "acpt", "port": done} in ports, ports)
        rows = json.loads(ask(port, "knetstat.tcplife"))
        of = [row["seq"] for row in rows if done in (row["lport"], row["rport"])]
        equal(sorted(of), sorted(host.recorded(done)), "sessions")
        check(all(row["comm"] for row in rows if row["seq"] in of), rows)
        again = json.loads(ask(port, "knetstat.tcplife"))
        equal([row for row in again if done in (row["lport"], row["rport"])], [], "once more")


@test
def zabbix_by_hand():
    """zabbix_agent2 -t prints an item, with the built-in ones on our files as well."""
    shutil.copy(f"{host.FILES}/zabbix/knetstat.conf", CONF)
    with host.Held(full=True) as held:
        for key in (f"knetstat.value[knetstat_listener_full_sockets,{held.port}]",
                    "vfs.file.regexp[/proc/net/stat/tcplife,\"^ *([0-9]+) \",,,,\\1]"):
            said = host.run("zabbix_agent2", "-t", key)
            note(said.strip())
            check("ZBX_NOTSUPPORTED" not in said and "|" in said, said)
            value = said.rstrip().rstrip("]").rpartition("|")[2]
            check(int(value) >= 1, said)
    os.unlink(CONF)


def collectd(folder, plugins):
    """collectd in the foreground, each second, into CSV files below @folder."""
    with open(f"{folder}/collectd.conf", "w", encoding="ascii") as file:
        file.write(f'Hostname "guest"\nFQDNLookup false\nInterval 1\nBaseDir "{folder}"\n'
                   f'PIDFile "{folder}/pid"\nTypesDB "/usr/share/collectd/types.db"\n'
                   "LoadPlugin logfile\n"
                   f'<Plugin logfile>\n LogLevel info\n File "{folder}/log"\n</Plugin>\n'
                   f'LoadPlugin csv\n<Plugin csv>\n DataDir "{folder}/csv"\n</Plugin>\n{plugins}')
    return subprocess.Popen(["collectd", "-f", "-C", f"{folder}/collectd.conf"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@test
def collectd_exec():
    """collectd's exec plugin takes every line of the script, as a plain user's program."""
    shutil.copy(f"{host.FILES}/collectd/knetstat-collectd", "/usr/local/lib/knetstat-collectd")
    folder = tempfile.mkdtemp()
    with open(f"{host.FILES}/collectd/knetstat.conf", encoding="ascii") as file:
        plugins = file.read()
    with host.Held(full=True) as held:
        process = collectd(folder, plugins)
        try:
            where = (f"{folder}/csv/guest/knetstat-{held.port}/"
                     "gauge-listener_accept_queue-127.0.0.1-*")
            name = until(lambda: glob.glob(where), f"{where}: {os.listdir(folder)}")[0]

            def values():
                with open(name, encoding="ascii") as file:
                    return [line.strip() for line in file if line[0].isdigit()]
            lines = until(values, "a value")
            equal(float(lines[0].split(",")[1]), 2.0, lines)
            note(f"{name.removeprefix(folder)}: {lines[0]}")
            recorded = f"{folder}/csv/guest/knetstat/derive-recorded_sessions_total-*"
            until(lambda: glob.glob(recorded), recorded)
        finally:
            process.terminate()
            process.wait()
    with open(f"{folder}/log", encoding="utf-8") as file:
        log = file.read()
    bad = [line for line in log.splitlines() if "knetstat" in line and "xit" not in line]
    equal(bad, [], "what collectd says of it")
    shutil.rmtree(folder)
