# SPDX-License-Identifier: GPL-2.0
"""The programs, fed nonsense by libFuzzer.

The inputs begin with the commands of tests/tools, on its tables; harness.c says what one
looks like. What is found is kept where the test says; once mended it belongs into
tests/fuzz/found, whose files are tried first.
"""

import concurrent.futures
import glob
import os
import random
import re
import shlex
import subprocess
import tempfile

from lib.ktap import Failed, check, note, test

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
TOP = os.path.dirname(TESTS)
TOOLS = f"{TOP}/src/tools"
SECONDS = int(os.environ.get("KNETSTAT_FUZZ_SECONDS", "5"))
SEED = int(os.environ.get("KNETSTAT_FUZZ_SEED", random.randrange(1, 1 << 31)))
CAUGHT = 99


def table(name):
    """A table of tests/tools."""
    with open(f"{TESTS}/tools/{name}", encoding="utf-8") as file:
        return file.read()


def short(text, start, rows=3):
    """The header and some rows of @text."""
    header, *lines = text.splitlines(keepends=True)
    return "".join([header, *(lines[(start + i) % len(lines)]
                              for i in range(min(rows, len(lines))))])


def tables_of(program):
    """{file: text} of what there is for @program to read."""
    with open(f"{HERE}/tables", encoding="ascii") as file:
        parts = re.split(r"^@(.*)\n", file.read(), flags=re.M)[1:]
    texts = dict(zip(parts[::2], parts[1::2]))
    if program == "tcplife":
        for name in [name for name in texts if name.endswith(("6stat", "pstat", "ports", "ble"))]:
            del texts[name]
        return {**texts, "tcplife": table("tcplife.table"), "tcplive": table("tcplive.table")}
    return {**texts, "sockowner": table("sockstat.table"), "unixowner": table("sockstat.unix")}


def commands(program):
    """The options of each command in @program's transcripts."""
    for path in sorted(glob.glob(f"{TESTS}/tools/*.transcript")):
        with open(path, encoding="utf-8") as file:
            for line in file:
                words = line.split()
                if words[:2] == ["$", program] and not set(line) & set("|>&;'\"\\"):
                    yield " ".join(words[2:])


REQUESTS = ("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text; "
            "version=1.0.0; q=0.5, text/plain;q=0.25,*/*;q=0.1\r\n\r\n",
            "HEAD /metrics?x=%20 HTTP/1.0\r\n\r\n", "POST / HTTP/1.1\nAccept:\n\n")


def write_seeds(program, where):
    """One input for each command, with different rows."""
    texts = tables_of(program)
    options = list(dict.fromkeys(commands(program)))
    check(len(options) > 20, "commands of", program, "in the transcripts")
    if program == "tcplife":
        options += ["--state state", "--state state -J -f"]
    inputs = [(line, "") for line in options]
    if program == "knetstat-metrics":
        inputs += [("--http", f"@stdin\n{request}") for request in REQUESTS]
    for number, (line, more) in enumerate(inputs):
        parts = [f"@{name}\n{short(text, number)}" for name, text in texts.items()]
        with open(f"{where}/{number}", "w", encoding="utf-8") as file:
            file.write(f"{line}\n{''.join(parts)}{more}")


def write_words(program, path):
    """What a mutation may put in at once: all words of the tables and of the options."""
    with open(f"{TOOLS}/{program}.c", encoding="utf-8") as file:
        words = set(re.findall(r'{ "([a-z-]+)",', file.read()))
    words = {f"--{word}" for word in words}
    for text in tables_of(program).values():
        words |= set(text.split())
    words |= {"18446744073709551615", "18446744073709551616", "-1", "0", "9" * 64, "a" * 64,
              ":" * 64, "\\377", "\\8", "::", "%lo", "\x7f", "=1", "@stdin"}
    with open(path, "w", encoding="ascii") as file:
        for word in sorted(words):
            text = "".join(char if char.isascii() and char.isalnum() else
                           "".join(f"\\x{byte:02x}" for byte in char.encode()) for char in word)
            file.write(f'"{text}"\n')


def build(program, where):
    """The program and the harness, in @where; the path of what they are together."""
    root, fuzzer = f"{where}/root", f"{where}/{program}"
    for path in ("proc/net/stat", "proc/self", "proc/1", "proc/sys/kernel/random", "rw",
                 "run/netns", "sys/fs/cgroup/system.slice"):
        os.makedirs(f"{root}/{path}")
    os.chmod(where, 0o755)
    os.chmod(f"{root}/rw", 0o777)
    flags = ["-g", "-O1", "-std=gnu11", f"-DKNETSTAT_ROOT=\"{root}\"",
             "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    sources = [f"{TOOLS}/{program}.c", *glob.glob(f"{TOOLS}/{program}/*.c"),
               *glob.glob(f"{TOOLS}/lib/*.c")]
    objects = [f"{where}/{number}.o" for number in range(len(sources))]

    def compile_one(source, output):
        subprocess.run(["clang", *flags, "-fsanitize=fuzzer-no-link", "-Dmain=program_main",
                        "-Dpoll=program_poll", "-c", source, "-o", output], check=True)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, sources, objects))
    # Not covered itself: the counters' own initialisation knows them by the same names.
    subprocess.run(["clang", *flags, "-c", f"{HERE}/harness.c", "-o", f"{where}/harness.o"],
                   check=True)
    subprocess.run(["clang", *flags, "-fsanitize=fuzzer", f"{where}/harness.o", *objects,
                    "-o", fuzzer], check=True)
    return fuzzer


def fuzz(program):
    """Try what was found before, and then look for more."""
    with tempfile.TemporaryDirectory(prefix="knetstat-fuzz-") as where:
        fuzzer = build(program, where)
        corpus, kept = f"{where}/corpus", f"{TOP}/build/fuzz/{program}"
        os.mkdir(corpus)
        os.makedirs(kept, exist_ok=True)
        write_seeds(program, corpus)
        write_words(program, f"{where}/words")
        environment = {**os.environ, "TZ": "UTC",
                       "ASAN_OPTIONS": f"exitcode={CAUGHT}:detect_leaks=0:abort_on_error=0",
                       "UBSAN_OPTIONS": f"exitcode={CAUGHT}:print_stacktrace=1"}
        found = sorted(glob.glob(f"{HERE}/found/{program}-*"))
        for path in found:
            run(environment, kept, fuzzer, path)
        said = run(environment, kept, fuzzer, "-max_len=8192", f"-seed={SEED}",
                   f"-max_total_time={SECONDS}", "-timeout=30", "-rss_limit_mb=0",
                   f"-dict={where}/words", "-print_final_stats=1", "-len_control=0",
                   f"-artifact_prefix={kept}/", corpus)
        runs = int(re.search(r"number_of_executed_units: (\d+)", said)[1])
        cover = re.findall(r"cov: (\d+)", said)
        new = re.search(r"new_units_added: *(\d+)", said)[1]
        # The seeds alone cover most of a program; a harness that doesn't run it, nothing.
        check(int(cover[-1]) > 400, "covered no more than", cover[-1])
        note(f"seed {SEED}: {len(found)} found before, {runs} inputs, {new} of them new, "
             f"coverage {cover[0]} to {cover[-1]}")


def run(environment, kept, *command):
    """What the fuzzer says; a failure with its last words, if it found something."""
    done = subprocess.run(command, env=environment, text=True, errors="replace", check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if not done.returncode:
        return done.stdout
    found = re.search(r"Test unit written to (\S+)", done.stdout)
    path = found[1] if found else command[-1]
    reason = ""
    if os.path.isfile(path):
        # What the program itself said.
        reason = subprocess.run([command[0], path], env={**environment, "FUZZ_SHOW": "1"},
                                text=True, errors="replace", check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    raise Failed(f"seed {SEED}: status {done.returncode}, input in {path} ({shlex.join(command)}, "
                 f"kept in {kept})\n{done.stdout[-2000:]}\n{reason[-6000:]}")


@test
def tcplife():
    """tcplife's options, tables and state."""
    fuzz("tcplife")


@test
def sockstat():
    """sockstat's options and tables."""
    fuzz("sockstat")


@test
def metrics():
    """knetstat-metrics: options, tables, requests of HTTP."""
    fuzz("knetstat-metrics")
