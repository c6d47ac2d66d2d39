# SPDX-License-Identifier: GPL-2.0
"""The rows of tcpports."""

import re

from lib import life
from lib.ktap import check, equal

FILE = "/proc/net/tcpports"
MS, CONN, SRTT = (1, 10, 100, 1000, 10000), (1, 5, 25, 100, 500), (1, 5, 25, 100, 500)
SUMS = "MS_SUM", "CONN_MS_SUM", "SRTT_MS_SUM"
COLUMNS = ("ROLE PORT SESSIONS FIN RESET ABORT REFUSED TIMEOUT UNREACH OTHER TX_B RX_B RETX "
           "MS_SUM CONN_MS_SUM SRTT_MS_SUM CONNS SRTTS").split()
COLUMNS += [f"MS_LE{bound}" for bound in MS] + [f"CONN_LE{bound}" for bound in CONN]
COLUMNS += [f"SRTT_LE{bound}" for bound in SRTT]


def parse(text):
    """The rows of @text, as {(ROLE, PORT): {column: number}}; times are microseconds."""
    check(text.endswith("\n"), "the last line is cut:", repr(text[-100:]))
    lines = text.split("\n")
    equal(lines[0].split(), COLUMNS, "header")
    rows = {}
    for line in lines[1:-1]:
        fields = line.split()
        equal(len(fields), len(COLUMNS), "fields of", line)
        side = (fields[0], int(fields[1]) if fields[1] != "*" else "*")
        check(re.fullmatch("acpt|conn|-", side[0]) and side not in rows, "twice, or what:", line)
        rows[side] = {}
        for name, field in zip(COLUMNS[2:], fields[2:]):
            check(re.fullmatch(r"\d+\.\d{3}" if name in SUMS else r"\d+", field), name, "of", line)
            rows[side][name] = int(field.replace(".", ""))
    order = ["-", "acpt", "conn"]
    equal(list(rows), sorted(rows, key=lambda side: (order.index(side[0]), side[1] == "*",
                                                     side[1] if side[1] != "*" else 0)), "order")
    return rows


def read(path=FILE):
    """The rows that there are."""
    return parse(life.slurp(path).decode("ascii"))
