"""Airflow: API server, scheduler and DAG processor with the LocalExecutor on Postgres; runs are asked for as its CLI does."""

import os
import shutil
import socket
import subprocess
import time

from serve import PIPELINES, SPEC, TUNED, serve, service


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


HOME = SPEC["folder"] + "/airflow"
PORT, LOGS = free_port(), free_port()
os.makedirs(HOME + "/dags")
shutil.copy(os.path.join(os.path.dirname(__file__), "airflow_dags.py"), HOME + "/dags")
PLAIN_URL = SPEC["databaseUrl"].replace("postgres://", "postgresql://")
os.environ.update(
    AIRFLOW_HOME=HOME,
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=PLAIN_URL.replace("postgresql://", "postgresql+psycopg2://"),
    AIRFLOW__CORE__EXECUTOR="LocalExecutor",
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="False",
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"http://127.0.0.1:{PORT}/execution/",
    AIRFLOW__CORE__PARALLELISM=str(SPEC["parallelism"]),
    # Only the tasks at once bound a workload, and no list is too long.
    AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG=str(SPEC["parallelism"]),
    AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG="1000",
    AIRFLOW__CORE__MAX_MAP_LENGTH="10000",
    AIRFLOW__API_AUTH__JWT_SECRET="of-this-benchmark-only-0123456789",
    AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=str(LOGS),
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
)
if TUNED:
    os.environ.update(AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME="0.1", AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC="1")
subprocess.run(["airflow", "db", "migrate"], check=True)
subprocess.Popen(["airflow", "api-server", "--host", "127.0.0.1", "--port", str(PORT)])
service(["airflow", "scheduler"])
subprocess.Popen(["airflow", "dag-processor"])

import psycopg2  # noqa: E402
from airflow.api.common.trigger_dag import trigger_dag  # noqa: E402
from airflow.utils.types import DagRunTriggeredByType  # noqa: E402

db = psycopg2.connect(PLAIN_URL)
db.autocommit = True


def select(sql, values=()):
    with db.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def is_up():
    try:
        socket.create_connection(("127.0.0.1", PORT)).close()
    except OSError:
        return False
    [(known,)] = select("select count(distinct dag_id) from serialized_dag")
    [(schedulers,)] = select("select count(*) from job where job_type = 'SchedulerJob' and state = 'running'")
    return known == len(PIPELINES) and schedulers > 0


while not is_up():
    time.sleep(0.2)

rounds = 0


def run_round(names):
    global rounds
    rounds += 1
    for i, name in enumerate(names):
        trigger_dag(name, run_id=f"round{rounds}-{i}", triggered_by=DagRunTriggeredByType.CLI)
    while True:
        states = dict(
            select("select state, count(*) from dag_run where run_id like %s group by 1", (f"round{rounds}-%",))
        )
        if states.get("failed"):
            raise RuntimeError("a run failed")
        if states.get("success", 0) == len(names):
            return
        time.sleep(0.02)


serve(run_round)
