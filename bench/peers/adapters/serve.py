"""What adapters in Python have in common: the specification, and rounds that are asked for on standard input."""

import json
import os
import sys
import traceback

SPEC = json.load(open(os.environ["PEER_SPEC"]))
PIPELINES = {pipeline["name"]: pipeline for pipeline in SPEC["pipelines"]}
TUNED = SPEC["settings"] == "tuned"
sys.path.insert(0, SPEC["bodies"])


def serve(run_round):
    """Calls run_round with the names of pipelines to run at once, whenever some are asked for; answers on file descriptor 3."""
    say({"ready": True})
    for line in sys.stdin:
        try:
            run_round(json.loads(line)["runs"])
            say({"done": True})
        except BaseException as error:
            say({"error": f"{error!r}\n{traceback.format_exc()[-3000:]}"})


def say(message):
    os.write(3, (json.dumps(message) + "\n").encode())
