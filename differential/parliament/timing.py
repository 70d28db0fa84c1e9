"""Times parliament. One line says how often, one line answers with the time that took and how many findings there were.

Each line of the file that is named on the command line is one policy document.
"""

import json
import platform
import sys
import time
from importlib.metadata import version

from parliament import analyze_policy_string


def now():
    """What this thread has used of a processor, where the system tells, else the time that passes."""
    try:
        with open("/proc/self/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])
    except OSError:
        return time.perf_counter_ns()


with open(sys.argv[1], encoding="utf-8") as file:
    policies = file.read().splitlines()

print(json.dumps(f"parliament {version('parliament')} on Python {platform.python_version()}"), flush=True)
for line in sys.stdin:
    passes = json.loads(line)["passes"]
    findings = 0
    start = now()
    for _ in range(passes):
        for policy in policies:
            findings += len(analyze_policy_string(policy).findings)
    print(json.dumps({"nanoseconds": now() - start, "result": findings}), flush=True)
