# SPDX-License-Identifier: GPL-2.0
"""Plays all scenes that have a ghost."""

import contextlib
import importlib
import socket

from lib import life
from lib.ghosts import GHOSTLY
from lib.ktap import Failed, Skip, cases, equal, test
from lib.scenes import fast_setup
from lib.wire import Wire
from lib.world import Netns, sysctl

# Where the scenes are.
SCENES = "ghost_starts", "ghost_ends", "ghost_timeouts"

INET, INET6 = socket.AF_INET, socket.AF_INET6


@test
def with_a_ghost():
    """The table of scenes with a ghost, in both families.

    All of them begin, then each goes on: who waits for a timer doesn't wait
    alone. So their rows come in any order, and are compared at the end.
    """
    families = {"v4": INET, "v6": INET6}
    began = life.clock()
    going, wanted, wrong = {}, {}, {}

    def step(name):
        """Play @name up to its next yield, or its end."""
        try:
            asked = next(going[name], None)
        except (Failed, Skip, OSError) as error:
            wrong[name] = error
            asked = None
        if asked:
            wanted[name] = asked

    with Netns() as netns:
        fast_setup()
        with contextlib.suppress(OSError):
            sysctl("net/ipv4/tcp_syn_linear_timeouts", 0)
        wire = Wire(netns)
        follower = life.Follower()
        before = life.retransmitted()
        for module in SCENES:
            importlib.import_module(f"guest.life.{module}")
        for name, play in GHOSTLY.items():
            for which, family in families.items():
                going[f"{name} {which}"] = play(wire, family)
        for _ in range(2):
            for name in going:
                if name not in wrong:
                    step(name)
        rows = []
        with contextlib.suppress(Failed):
            rows = follower.take(len(wanted))
        ended_at = life.clock()
        rows += follower.now()
        by_name = {}
        for name, asked in wanted.items():
            mine = [row for row in rows if (row.local, row.remote) ==
                    (asked.local, asked.remote)]
            by_name[name] = mine
            rows = [row for row in rows if row not in mine]

        def one(name):
            if name in wrong:
                raise wrong[name]
            if name not in wanted:
                return
            mine = by_name[name]
            equal(len(mine), 1, "rows", *(row.line for row in mine))
            life.check_row(mine[0], wanted[name], began, ended_at)

        cases(list(going), one)
        equal([row.line for row in rows], [], "rows of no session")
        equal(life.stat()["recorded"], len(wanted), "recorded")
        equal(sum(row.retx for mine in by_name.values() for row in mine) <=
              life.retransmitted() - before, True, "RETX of all rows")
        wire.close()
