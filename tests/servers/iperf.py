# SPDX-License-Identifier: GPL-2.0
"""iperf3: both ends say in JSON how many bytes each stream has carried."""

import json
import subprocess

from lib import world
from lib.ktap import any_of, cases, check, equal, note, test, until
from servers import host
from servers.host import FAMILIES

# What opens each of its connections: a cookie.
COOKIE = 37
KINDS = {"": (), " backwards": ("-R",), " both ways": ("--bidir",)}


@test
def streams():
    """Of each stream both ends, with the bytes that the program has counted; and of the
    connection that controls them.
    """
    def case(name):
        family, kind = FAMILIES[name[:2]], KINDS[name[2:]]
        with host.Server() as server:
            port = host.free_port()
            pid = server.start("iperf3", "-s", "-1", "-J", "-B", world.host(family),
                               "-p", str(port), ports=(port,))
            client = subprocess.Popen(
                ("iperf3", "-c", world.host(family), "-p", str(port), "-J", "-P", "3",
                 "-n", "8M", *kind), stdout=subprocess.PIPE)
            ours = json.loads(client.communicate()[0])
            check("error" not in ours, ours.get("error"))
            streams = {one["local_port"]: one for one in ours["start"]["connected"]}
            acpt = host.accepted(port, len(streams) + 1)
            conn = host.connected(port, len(streams) + 1)
            for row in acpt.values():
                host.row_is(row, pid, b"iperf3", end=any_of("fin", "reset", "abort"))
            for row in conn.values():
                # Who never reads is known by its connecting.
                host.row_is(row, client.pid, b"iperf3", end=any_of("fin", "reset", "abort"),
                            by="use" if row.rx else "connect")
            said = {one["sender"]["socket"]: one for one in ours["end"]["streams"]}
            carried = 0
            for local, stream in streams.items():
                there = acpt[(world.host(family), local)]
                here = conn[(world.host(family), local)]
                one = said[stream["socket"]]
                sent, received = one["sender"]["bytes"], one["receiver"]["bytes"]
                if one["sender"]["sender"]:
                    row, other, first = here, there, COOKIE
                else:
                    row, other, first = there, here, 0
                # What was under way at the end was not received by the program.
                check(received + first <= other.rx <= row.tx <= sent + first,
                      sent, received, f"\n{row.line}\n{other.line}")
                # The other way there is the cookie, or nothing.
                equal((row.rx, other.tx), (COOKIE - first,) * 2, row.line)
                equal(row.retx, max(0, one["sender"].get("retransmits", 0)), row.line)
                carried += other.rx
            note(f"{len(streams)} streams, {carried} bytes")
            check(carried >= 8 << 20, "carried", carried)
    cases([f"{family}{kind}" for family in FAMILIES for kind in KINDS], case)


@test
def listener():
    """Its listener."""
    def case(name):
        family = FAMILIES[name]
        with host.Server() as server:
            port = host.free_port()
            pid = server.start("iperf3", "-s", "-B", world.host(family), "-p", str(port),
                               ports=(port,))
            row = host.listener_row(family, port)
            equal((row.recvq, row.diag), (0, ()), row.line)
            equal(row.options["SO_REUSEADDR"], "1", row.line)
            until(lambda: host.holders(port) == {(pid, "iperf3")}, lambda: host.holders(port))
    cases(FAMILIES, case)
