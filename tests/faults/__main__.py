"""``python -m tests.faults``: print the fault table.

Each line is a fault of a vendor: who answered in the three turns of the call, how long the caller
heard nothing after each of them, how long the next caller waited while the vendor was still down,
and which failures the journals were told of. With a word only the cells whose names hold it.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.table import cells, lines, outcomes


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("word", nargs="?", default="", help="for instance: elevenlabs, 429, stall")
    word = parser.parse_args().word.lower()
    wanted = [cell for cell in cells() if word in cell.name.lower()]
    if not wanted:
        print(f"no cell's name holds {word!r}; there are:", *(c.name for c in cells()), sep="\n")
        return 2
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory() as folder:
        results = outcomes(wanted, Path(folder))
    print(*lines(results), sep="\n")
    wrong = [result for result in results if result.problems]
    for result in wrong:
        print(f"\n{result.cell.name}", *(f"    {one}" for one in result.problems), sep="\n")
    print(f"\n{len(results) - len(wrong)} of {len(results)} cells are ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
