"""How soon the door answers: `make bench`. Each command is one that has nothing to compute, so needs no torch."""

import statistics
import subprocess
import sys
import time

REPEATS = 5
COMMANDS = {
    "--help": 0,
    "--cfg job": 0,
    "taks=segmentation": 2,
}
"""Arguments, and the exit code that answers them: the last one is a typing error."""


def seconds(arguments: str, code: int) -> float:
    """Wall time of one start; anything but the expected exit code ends the measurement."""
    command = [sys.executable, "-m", "vggexp", *arguments.split()]
    start = time.perf_counter()
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - start
    if answer.returncode != code:
        sys.exit(f"{' '.join(command)}: exit code {answer.returncode}, expected {code}\n{answer.stderr}")
    return elapsed


def main() -> None:
    """Print a line a command: median, fastest and slowest. The first start may compile, and is not counted."""
    for arguments, code in COMMANDS.items():
        seconds(arguments, code)
        times = [seconds(arguments, code) for _ in range(REPEATS)]
        span = f"{min(times):.2f} to {max(times):.2f}"
        print(f"{arguments:20} median {statistics.median(times):.2f} s of {REPEATS} ({span})", flush=True)


if __name__ == "__main__":
    main()
