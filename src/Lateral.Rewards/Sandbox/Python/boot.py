# The first and last thing that runs in a sandbox: it says that the interpreter works, waits for a program, and runs it. It is started before there is
# a program, so that starting costs no time of a program's own. Its argument: the most processes, for machines without a pids cgroup; 0 = not limited here.
import os
import sys

os.closerange(3, 1 << 20)
if sys.argv[1] != "0":
    import resource
    resource.setrlimit(resource.RLIMIT_NPROC, (int(sys.argv[1]), int(sys.argv[1])))
os.write(1, b"\x06")


def take(count):
    parts = []
    while count > 0:
        part = os.read(0, count)
        if not part:
            os._exit(0)
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


size = b""
while not size.endswith(b"\n"):
    size += take(1)
try:
    exec(compile(take(int(size)), "program", "exec"), {"__name__": "__main__", "take": take})
except MemoryError:
    os._exit(77)
