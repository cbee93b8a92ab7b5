"""Programs whose time of day is wrong."""

import pathlib
import struct
import subprocess


def build(folder):
    """Compiles what the programs are to load."""
    library = folder / "wrong_clock.so"
    source = pathlib.Path(__file__).with_name("wrong_clock.c")
    subprocess.run(["clang", "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(library), str(source)], check=True)
    return library


class Clock:
    """What programs started with `variables` take for the time of day: `seconds` ahead of what it is."""

    def __init__(self, library, file, seconds):
        self.file = file
        self.set(seconds)
        self.variables = {"LD_PRELOAD": str(library), "WRONG_CLOCK": str(file)}

    def set(self, seconds):
        with open(self.file, "r+b" if self.file.exists() else "wb") as writing:
            writing.write(struct.pack("q", seconds))
