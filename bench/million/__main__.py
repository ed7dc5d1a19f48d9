"""A million spliced connections: the bookkeeping of a switch, eBPF, and traffic beside a full table.

    sudo .venv/bin/python -m bench.million             # 1,048,576 splices: minutes, and 4 GB of memory
    sudo .venv/bin/python -m bench.million --quick     # 65,536: about a minute

Writes a page, plots and tables to a directory. Each section is a process of its own, and a command of its own, too:
python -m bench.million.{bookkeeping,kernel,traffic}.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from bench.million import report, results
from bench.million.section import MILLION

SECTIONS = ("bookkeeping", "kernel", "traffic")
_QUICK = 65_536


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK} splices")
    parser.add_argument("--splices", type=int, help=f"how many (default: {MILLION})")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS, help="some of them alone")
    parser.add_argument("--output", type=Path, default=Path("build/million"), help="a directory (default: %(default)s)")
    parser.add_argument("--from", type=Path, dest="kept", help="write the page again from the findings in a directory")
    parser.add_argument("--remark", default="", help="what readers of the page have to know of the run")
    arguments = parser.parse_args()
    count = arguments.splices or (_QUICK if arguments.quick else MILLION)
    kept = arguments.kept or arguments.output / "findings"
    kept.mkdir(parents=True, exist_ok=True)
    files = {name: kept / f"{name}.json" for name in arguments.sections}
    if not arguments.kept:
        for name, file in files.items():
            command = [sys.executable, "-m", f"bench.million.{name}", "--splices", str(count), "--output", str(file)]
            subprocess.run(command, check=True)
    flags = "" if count == MILLION else " --quick" if count == _QUICK else f" --splices {count}"
    sections = [results.load(file) for file in files.values()]
    report.write(sections, count, f"python -m bench.million{flags}", arguments.remark, arguments.output)
    print(f"\nwritten: {arguments.output / report.PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
