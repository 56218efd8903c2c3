"""Snakemake: started once for all runs of a round."""

import json
import os
import subprocess

from serve import SPEC, WATCHED, command, serve

SNAKEFILE = os.path.join(os.path.dirname(__file__), "Snakefile")
ROUND = os.path.join(SPEC["folder"], "round.json")
ENVIRONMENT = {**os.environ, "PEER_ROUND": ROUND}
runs = 0


def run_round(names):
    global runs
    asked = []
    for name in names:
        runs += 1
        asked.append([name, str(runs)])
    with open(ROUND, "w") as file:
        json.dump(asked, file)
    execute()


def execute(*options):
    cores = ["--cores", str(SPEC["parallelism"]), "--quiet", "all"]
    retries = ["--retries", "3"] if WATCHED else []
    command(["snakemake", "--snakefile", SNAKEFILE, *cores, *retries, *options], env=ENVIRONMENT)


def resume(names):
    """As its pages say: unlock the folder that was left locked, run again what was incomplete."""
    subprocess.run(["snakemake", "--snakefile", SNAKEFILE, "--unlock"], env=ENVIRONMENT, check=True)
    execute("--rerun-incomplete")


serve(run_round, resume)
