# SPDX-License-Identifier: GPL-2.0
"""The programs, built for a test."""

import os
import re
import subprocess

from lib.ktap import Failed

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build(name, where, root=None, more=""):
    """Build the program @name in the directory @where, with sanitizers, to look for its
    files below @root (or @where), and with the sources @more."""
    root = root or where
    subprocess.run(["make", "-s", "-C", TOP, f"{where}/{name}", f"TOOLS={where}",
                    f"CC={os.environ.get('CC', 'gcc')}", "VERSION=1.2.3",
                    f"CPPFLAGS=-DKNETSTAT_ROOT='\"{root}\"' -DROOT='\"{root}\"'",
                    "CFLAGS=-g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined"
                    " -fno-sanitize-recover", "LTO=", f"LDLIBS={more}"], check=True)


def end(process, root, stdin=None):
    """What a program has printed, what it said with its paths below @root as a host has
    them, and its status."""
    stdout, stderr = process.communicate(stdin, timeout=120)
    return ((stdout or b"").decode(), (stderr or b"").decode().replace(root, ""),
            process.returncode)


def transcript(path, name, comment="#"):
    """The transcript at @path of the program @name: for each command what to expect of it."""
    sessions = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(f"$ {name}"):
                expected = sessions[line[len(f"$ {name}"):].strip()] = ["", "", 0]
            elif line.startswith("! "):
                expected[1] += line[2:]
            elif re.fullmatch(r"\? \d+\n", line):
                expected[2] = int(line[2:])
            elif not line.startswith(comment):
                expected[0] += line
    return sessions


def as_written(got, expected):
    """Fail unless what a program printed, what it said and its status are those of a
    transcript."""
    for one, other, what in zip(got, expected, ("stdout", "stderr", "status")):
        if one != other:
            raise Failed(f"{what}:\n{one}\nnot:\n{other}")
