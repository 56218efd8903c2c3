"""The process in which the cells of a notebook run: an IPython kernel that knows `ctx`. Its order comes on stdin."""

import json
import os
import sys

from ipykernel.kernelapp import IPKernelApp
from python_context import Context


def main(connection_file):
    order = json.load(sys.stdin)
    # In the place of this folder: as with a script, what lies beside the notebook can be imported.
    sys.path[0] = os.path.dirname(os.path.join(order["releaseDir"], order["file"]))
    app = IPKernelApp.instance(user_ns={"ctx": Context(order)})
    app.initialize(["-f", connection_file, "--HistoryManager.enabled=False", "--log-level=ERROR"])
    app.start()


if __name__ == "__main__":
    main(sys.argv[1])
