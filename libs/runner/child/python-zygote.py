"""The preloaded parent of `python:` attempts: it starts once and forks a child per attempt, which takes a millisecond
where a new interpreter takes forty. Orders come in on stdin, answers leave on fd 3, in the frames of frames.mjs.
Standard library only, Python 3.9 or later. It runs no user code itself."""

import sys

if sys.version_info < (3, 9):
    sys.stderr.write("python tasks need Python 3.9 or later, this is %s\n" % sys.version.split()[0])
    sys.exit(2)

import errno
import gc
import json
import os
import select
import signal
import struct
import time

import python_attempt  # beside this file

HEADER = struct.Struct("<IBI")
RUN, END, HOLD, GO_ON = 1, 2, 3, 4
READY, STDOUT, STDERR, DONE, STARTED = 1, 2, 3, 5, 6
CONTROL_FD = 3
PIECE = 65536


class Child:
    """One forked attempt: its process group and the pipes of its output."""

    def __init__(self, attempt_id, pid, out, err):
        self.id = attempt_id
        self.pid = pid
        self.pipes = {out: STDOUT, err: STDERR}
        self.kill_at = None
        self.ending = False
        self.held = False  # its output is left in its pipes


class Zygote:
    def __init__(self, record_file):
        self.record_file = record_file
        self.children = {}  # by pid
        self.poll = select.poll()
        self.buffer = bytearray()
        self.wake_read, wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent closes stdin instead
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.poll.register(0, select.POLLIN)
        self.poll.register(self.wake_read, select.POLLIN)

    def serve(self):
        send(READY, 0, json.dumps({"version": sys.version.split()[0], "executable": sys.executable}).encode())
        while True:
            for fd, _ in self.poll.poll(self.next_timeout()):
                if fd == 0:
                    if not self.read_orders():
                        return self.abandon()
                elif fd == self.wake_read:
                    drain(fd)
                else:
                    self.relay(fd)
            self.reap()
            self.kill_overdue()

    def read_orders(self):
        data = os.read(0, PIECE)
        if not data:
            return False
        self.buffer += data
        while len(self.buffer) >= HEADER.size:
            length, kind, attempt_id = HEADER.unpack_from(self.buffer)
            if len(self.buffer) < HEADER.size + length:
                break
            payload = bytes(self.buffer[HEADER.size : HEADER.size + length])
            del self.buffer[: HEADER.size + length]
            if kind == RUN:
                self.fork(attempt_id, json.loads(payload))
            elif kind == END:
                self.end(attempt_id, json.loads(payload)["graceMs"] / 1000)
            elif kind in (HOLD, GO_ON):
                self.hold(attempt_id, kind == HOLD)
        return True

    def fork(self, attempt_id, order):
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                remember(self.record_file, "+ %d %s\n" % (os.getpid(), start_ticks()))
                become_attempt(out_write, err_write)
            except BaseException as error:  # nothing of the zygote may run on in a child
                os.write(err_write, ("the attempt could not be set up: %s\n" % error).encode())
                os._exit(70)
            python_attempt.run(order, marker_of(attempt_id))  # does not return
        os.close(out_write)
        os.close(err_write)
        child = Child(attempt_id, pid, out_read, err_read)
        self.children[pid] = child
        for fd in child.pipes:
            os.set_blocking(fd, False)
            self.poll.register(fd, select.POLLIN)
        send(STARTED, attempt_id, json.dumps({"pid": pid}).encode())

    def relay(self, fd):
        """Passes on one piece; False at the end of the pipe or while it is empty."""
        child = next((one for one in self.children.values() if fd in one.pipes), None)
        if child is None:
            return False
        try:
            data = os.read(fd, PIECE)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return False
            data = b""
        if data:
            send(child.pipes[fd], child.id, data)
            return True
        self.close_pipe(child, fd)
        return False

    def hold(self, attempt_id, held):
        for child in self.children.values():
            if child.id == attempt_id and child.held != held:
                child.held = held
                for fd in child.pipes:
                    if held:
                        self.poll.unregister(fd)
                    else:
                        self.poll.register(fd, select.POLLIN)

    def close_pipe(self, child, fd):
        if not child.held:
            self.poll.unregister(fd)
        os.close(fd)
        del child.pipes[fd]

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self.children.get(pid)
            if child is None:
                continue
            kill_group(pid, signal.SIGKILL)  # what the leader left behind in its group
            if child.ending:
                kill_marked(marker_of(child.id))
            for fd in list(child.pipes):
                # A pipe holds one piece, and its end is seen after it: whoever goes on writing must not keep us here.
                if self.relay(fd):
                    self.relay(fd)
            # Whoever left the group and still holds a pipe ends too, and is not waited for.
            if child.pipes and not child.ending:
                kill_marked(marker_of(child.id))
            for fd in list(child.pipes):
                self.close_pipe(child, fd)
            del self.children[pid]
            remember(self.record_file, "- %d\n" % pid)
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
            name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else None
            send(DONE, child.id, json.dumps({"code": code, "signal": name}).encode())

    def end(self, attempt_id, grace):
        for child in self.children.values():
            if child.id == attempt_id:
                kill_group(child.pid, signal.SIGTERM if grace > 0 else signal.SIGKILL)
                child.ending = True
                child.kill_at = time.monotonic() + grace

    def next_timeout(self):
        due = [child.kill_at for child in self.children.values() if child.kill_at is not None]
        return max(0, (min(due) - time.monotonic()) * 1000 + 1) if due else None

    def kill_overdue(self):
        now = time.monotonic()
        for child in self.children.values():
            if child.kill_at is not None and child.kill_at <= now:
                kill_group(child.pid, signal.SIGKILL)
                child.kill_at = None

    def abandon(self):
        """The parent is gone, or wants no more attempts."""
        for pid in self.children:
            kill_group(pid, signal.SIGKILL)


def become_attempt(out, err):
    signal.set_wakeup_fd(-1)
    for name in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, 512)


def kill_group(pid, signum):
    try:
        os.killpg(pid, signum)
    except ProcessLookupError:
        try:
            os.kill(pid, signum)  # forked this instant: its group is not there yet
        except ProcessLookupError:
            pass
    except PermissionError:
        pass


def marker_of(attempt_id):
    return "%s.%d" % (os.environ.get("SLUICE_PROCESS", "none"), attempt_id)


def kill_marked(marker):
    """Processes that left their group; see killMarked in process-file.mjs."""
    needle = b"\0SLUICE_PROCESS=" + marker.encode() + b"\0"
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else []:
        try:
            with open("/proc/%s/environ" % name, "rb") as file:
                found = needle in b"\0" + file.read()
            if found and name.isdigit():
                os.kill(int(name), signal.SIGKILL)
        except OSError:
            continue  # not a process, gone, or somebody else's


def send(kind, attempt_id, payload=b""):
    view = memoryview(HEADER.pack(len(payload), kind, attempt_id) + payload)
    while view:
        try:
            view = view[os.write(CONTROL_FD, view) :]
        except BlockingIOError:
            select.select([], [CONTROL_FD], [])


def drain(fd):
    try:
        while os.read(fd, 4096):
            pass
    except BlockingIOError:
        pass


def remember(record_file, line):
    fd = os.open(record_file, os.O_WRONLY | os.O_APPEND)
    os.write(fd, line.encode())
    os.close(fd)


def start_ticks():
    try:
        with open("/proc/self/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return "?"


if __name__ == "__main__":
    record = json.loads(sys.argv[1])["recordFile"]
    sys.path.pop(0)  # this folder: user code must not find our modules
    gc.freeze()  # the children share what is loaded so far
    Zygote(record).serve()
