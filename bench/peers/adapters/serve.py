"""What adapters in Python have in common: the specification, and rounds that are asked for on standard input."""

import json
import os
import subprocess
import sys
import threading
import traceback

SPEC = json.load(open(os.environ["PEER_SPEC"]))
PIPELINES = {pipeline["name"]: pipeline for pipeline in SPEC["pipelines"]}
TUNED = SPEC["settings"] == "tuned"
# Bodies that say that they begin are there to be killed.
WATCHED = any(task["kind"] == "watched" for pipeline in PIPELINES.values() for task in pipeline["tasks"])
sys.path.insert(0, SPEC["bodies"])


def serve(run_round, resume=None):
    """
    Calls run_round with the names of pipelines to run at once, whenever some are asked for; answers on file descriptor 3.
    After this program was killed, or a round failed under kills, resume is to go on with what was asked for. Runs that stay are not
    waited for.
    """
    say({"ready": True})
    for line in sys.stdin:
        try:
            asked = json.loads(line)
            if asked.get("resume") and resume is None:
                raise RuntimeError("a run that failed does not go on")
            if asked.get("stays"):
                threading.Thread(target=run_round, args=(asked["runs"],), daemon=True).start()
            else:
                (resume if asked.get("resume") else run_round)(asked["runs"])
            say({"done": True})
        except BaseException as error:
            say({"error": f"{error!r}\n{traceback.format_exc()[-3000:]}"})


def service(argv):
    """Starts the engine's scheduler beside this program, unless it is there: what kills it starts it again, too."""
    if not os.path.exists(SCHEDULER):
        told(argv, True)


def command(argv, **options):
    """Executes the engine's scheduler, a command that ends; raises when it fails."""
    if told(argv, False, **options).wait() != 0:
        raise RuntimeError(f"{argv[0]} failed")


SCHEDULER = os.path.join(SPEC["folder"], "scheduler.json")


def told(argv, is_service, **options):
    # A group of its own, as a supervisor has it.
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    with open(SCHEDULER, "w") as file:
        json.dump({"pid": process.pid, "isService": is_service}, file)
    return process


def kept(name, make):
    """What make returned the first time, also after this program was killed."""
    path = os.path.join(SPEC["folder"], name + ".json")
    if not os.path.exists(path):
        with open(path, "w") as file:
            json.dump(make(), file)
    return json.load(open(path))


def say(message):
    os.write(3, (json.dumps(message) + "\n").encode())
