# SPDX-License-Identifier: GPL-2.0
"""A line of any file: whether it is a row of it."""

import re

from lib import life, owner, ports, tables, unixowner
from lib.ktap import check


def live_row(line):
    """Check a row of tcplive."""
    life.parse_live(f"{' '.join(life.LIVE_COLUMNS)}\n{line}\n")


def ports_row(line):
    """Check a row of tcpports."""
    ports.parse(f"{' '.join(ports.COLUMNS)}\n{line}\n")


def counters_row(line):
    """Check the row of stat/tcplife."""
    check(re.fullmatch(r"\d+( \d+){4}", line), "malformed:", repr(line))


def or_sharer(module):
    """Check a row of sockowner or unixowner."""
    def row(line):
        if not module.SHARER.fullmatch(line):
            module.parse_row(line)
    return row


# Each file's columns, and what fails if a line is no row of it.
FILES = {
    **{table: (tables.COLUMNS, tables.parse_row) for table in (*tables.TABLES, "socktrouble")},
    "tcplife": (life.COLUMNS, life.parse_row),
    "tcplive": (life.LIVE_COLUMNS, live_row),
    "tcpports": (ports.COLUMNS, ports_row),
    "stat/tcplife": (life.COUNTERS, counters_row),
    "sockowner": (owner.COLUMNS, or_sharer(owner)),
    "unixowner": (unixowner.COLUMNS, or_sharer(unixowner)),
}


def check_text(name, text):
    """Check all of @text, which is file @name from its beginning to its end."""
    columns, check_row = FILES[name]
    check(text.endswith("\n"), name, "ends in", repr(text[-100:]))
    header, *lines = text.split("\n")[:-1]
    check(header.split() == list(columns), name, "begins with", repr(header))
    for line in lines:
        check_row(line)
    return len(lines)
