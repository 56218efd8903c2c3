"""Executes a notebook: its parameters are injected as papermill does it, its cells run in a kernel of the attempt's own
process group, and what they showed is written down as they go. Its libraries are those of the user's interpreter."""

import json
import keyword
import os
import re
import signal
import subprocess
import sys
import time

from python_context import RetryAfter, Skip

PARAMETERS, INJECTED = "parameters", "injected-parameters"
SAVE_SECONDS = 1
KERNEL_SECONDS = 60
ANSI = re.compile("\x1b\\[[0-9;]*[A-Za-z]")
KERNEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_kernel.py")


class Failed(Exception):
    """What the message says is all that there is to say."""


def execute(order):
    libraries = _load_libraries()
    notebook = _read(order, libraries)
    _inject(notebook, order["parameters"], libraries)
    record = _Record(notebook, order["notebookFile"])
    record.save()
    # A time-out or a cancel: what was shown so far is kept.
    signal.signal(signal.SIGTERM, lambda *_: (record.save(), os._exit(128 + signal.SIGTERM)))
    try:
        _run_cells(notebook, order, record, libraries)
    finally:
        record.save()


def _load_libraries():
    try:
        import ipykernel  # noqa: F401  (the kernel needs it, and this says so sooner)
        import nbclient
        import nbclient.exceptions
        import nbformat
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_client.provisioning import LocalProvisioner
    except ImportError as missing:
        raise Failed(
            "notebook tasks need nbclient and ipykernel, and %s lacks %s; install them: %s -m pip install nbclient ipykernel"
            % (sys.executable, missing.name, sys.executable)
        ) from None
    return {
        "nbformat": nbformat,
        "dead": nbclient.exceptions.DeadKernelError,
        "failed": nbclient.exceptions.CellExecutionError,
        "client": _client_class(nbclient.NotebookClient),
        "manager": AsyncKernelManager,
        "provisioner": _provisioner_class(LocalProvisioner),
    }


def _client_class(base):
    class Client(base):
        """Passes on what cells print, while they run."""

        record = None

        def process_message(self, msg, cell, cell_index):
            output = super().process_message(msg, cell, cell_index)
            if msg["msg_type"] == "stream":
                stream = sys.stderr if msg["content"]["name"] == "stderr" else sys.stdout
                stream.write(msg["content"]["text"])
                stream.flush()
            self.record.touch()
            return output

    return Client


def _provisioner_class(base):
    class InOurGroup(base):
        """Starts the kernel in the process group of the attempt: whatever ends the attempt ends the kernel too."""

        order = None

        async def launch_kernel(self, cmd, **kwargs):
            command = [sys.executable, "-Xfrozen_modules=off", KERNEL, self.parent.connection_file]
            # The kernel ends itself when this process is no longer there.
            env = dict(os.environ, JPY_PARENT_PID=str(os.getpid()))
            self.process = subprocess.Popen(command, cwd=kwargs.get("cwd"), env=env, stdin=subprocess.PIPE)
            self.pid, self.pgid = self.process.pid, None
            with self.process.stdin as pipe:
                pipe.write(json.dumps(self.order).encode())
            return self.connection_info

    return InOurGroup


def _read(order, libraries):
    path = os.path.join(order["releaseDir"], order["file"])
    try:
        with open(path, encoding="utf-8") as file:
            notebook = libraries["nbformat"].reads(file.read(), as_version=4)
    except OSError as error:
        raise Failed("%s could not be read: %s" % (order["file"], error.strerror)) from None
    except Exception as error:
        raise Failed("%s is not a notebook: %s" % (order["file"], error)) from None
    about = notebook.metadata
    language = about.get("kernelspec", {}).get("language") or about.get("language_info", {}).get("name") or "python"
    if language.lower() != "python":
        raise Failed("%s is written in %s; expected python" % (order["file"], language))
    return notebook


def _inject(notebook, parameters, libraries):
    """Behind the cell tagged `parameters`, whose assignments are the defaults; in front of all cells without one."""
    lines = ["# Parameters of this run"]
    for name, value in parameters.items():
        if keyword.iskeyword(name):
            print("parameter %s is a word of Python: the notebook finds it in ctx.params only" % name, flush=True)
        else:
            lines.append("%s = %r" % (name, value))
    cells = [cell for cell in notebook.cells if INJECTED not in _tags(cell)]
    at = next((index + 1 for index, cell in enumerate(cells) if PARAMETERS in _tags(cell)), 0)
    # Its id is always the same: a notebook that is executed again is to come out the same.
    cell = libraries["nbformat"].v4.new_code_cell("\n".join(lines), id=INJECTED, metadata={"tags": [INJECTED]})
    if notebook.nbformat_minor < 5:
        del cell["id"]
    notebook.cells = cells[:at] + [cell] + cells[at:]


def _tags(cell):
    return cell.metadata.get("tags", [])


def _run_cells(notebook, order, record, libraries):
    scratch = order["env"]["SLUICE_SCRATCH"]
    # Sockets in the scratch folder, which nobody else may enter; their paths are relative, because they may not be long.
    manager = libraries["manager"](
        kernel_name="python3", transport="ipc", ip=".kernel", connection_file=os.path.join(scratch, ".kernel.json")
    )
    manager.provisioner = libraries["provisioner"](
        kernel_id="kernel", kernel_spec=manager.kernel_spec, parent=manager
    )
    manager.provisioner.order = order
    client = libraries["client"](
        notebook, km=manager, timeout=None, startup_timeout=KERNEL_SECONDS, record_timing=False
    )
    client.record = record
    client.resources = {"metadata": {"path": scratch}}
    index = 0

    def note(cell, cell_index):
        nonlocal index
        index = cell_index

    client.on_cell_start = note
    try:
        client.execute()
    except libraries["failed"] as error:
        _end_of(error, notebook.cells[index], _place(order, notebook, index))
    except libraries["dead"]:
        raise Failed("the kernel died, perhaps out of memory (%s)" % _place(order, notebook, index)) from None
    finally:
        if manager.has_kernel:
            manager.provisioner.process.kill()


def _end_of(error, cell, place):
    """What an error that a cell raised means for the task: ctx.skip() and sys.exit() work as in a function."""
    if error.ename == Skip.__name__:
        raise Skip(error.evalue)
    if error.ename == RetryAfter.__name__:
        raise RetryAfter(error.evalue)
    if error.ename == "SystemExit":
        if error.evalue in ("", "0", "None"):
            return
        raise SystemExit(int(error.evalue) if error.evalue.lstrip("-").isdigit() else "%s (%s)" % (error.evalue, place))
    for output in cell.outputs:
        if output.output_type == "error":
            sys.stderr.write(ANSI.sub("", "\n".join(output.traceback)) + "\n")
    raise Failed("%s: %s (%s)" % (error.ename, error.evalue, place))


def _place(order, notebook, index):
    """`reports/daily.ipynb, cell 4 of 7: rows = load(path)`: its first line that does something."""
    lines = [line.strip() for line in notebook.cells[index].source.splitlines()]
    line = next((line for line in lines if line and not line.startswith(("#", "%"))), "")
    text = line if len(line) <= 60 else line[:59] + "…"
    return "%s, cell %d of %d%s" % (order["file"], index + 1, len(notebook.cells), text and ": " + text)


class _Record:
    """The notebook as it stands, in a file."""

    def __init__(self, notebook, path):
        self.notebook = notebook
        self.path = path
        self.saved_at = 0

    def touch(self):
        if time.monotonic() - self.saved_at >= SAVE_SECONDS:
            self.save()

    def save(self):
        started = time.monotonic()
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            # Texts stay whole, not cut into lines, so that secrets are found in them.
            json.dump(self.notebook, file, ensure_ascii=False, indent=1)
        os.replace(self.path + ".new", self.path)
        # A large notebook is not saved for longer than it runs.
        self.saved_at = time.monotonic() + 9 * (time.monotonic() - started)
