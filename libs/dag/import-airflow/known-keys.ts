/** What Airflow's BaseOperator takes: any other key of a decorated task is an argument of its function. */
export const BASE_ARGUMENTS: ReadonlySet<string> = new Set(
  `owner email email_on_failure email_on_retry retries retry_delay retry_exponential_backoff max_retry_delay retry_policy
   start_date end_date depends_on_past depends_on_previous_tasks ignore_first_depends_on_past wait_for_downstream
   wait_for_past_depends_before_skipping priority_weight weight_rule queue pool pool_slots executor executor_config
   execution_timeout sla trigger_rule resources run_as_user task_concurrency max_active_tis_per_dag max_active_tis_per_dagrun
   map_index_template do_xcom_push multiple_outputs inlets outlets on_execute_callback on_failure_callback
   on_success_callback on_retry_callback on_skipped_callback doc doc_md doc_json doc_yaml doc_rst params task_display_name
   is_setup is_teardown on_failure_fail_dagrun op_args op_kwargs templates_dict variables_as_arguments
   ignore_downstream_trigger_rules show_return_value_in_logs bash_command env append_env cwd skip_on_exit_code`.split(
    /\s+/,
  ),
);

const ALERTS = 'Write `alerts: [{ on: run.failed, to: "slack:#channel" }]`, or a task under `finally:`.';
const ENVIRONMENT = 'Runs of an environment share one executor; say what a task needs in `pool` and `slots`.';

/** What to do about an argument that has no counterpart. */
export const KEY_HINTS: Readonly<Record<string, string>> = {
  depends_on_previous_tasks: 'Write `depends_on_past: true` on the tasks that it names.',
  wait_for_past_depends_before_skipping: 'Leave it out.',
  on_execute_callback: 'Begin the task itself with what the callback does.',
  on_success_callback: 'Add a task with `needs` for what the callback does.',
  on_failure_callback: ALERTS,
  on_retry_callback: 'Write `alerts: [{ on: task.retrying, to: "slack:#channel" }]`.',
  on_skipped_callback: 'Add a task with `when: all_skipped`.',
  sla_miss_callback: 'Write `deadline` and `alerts: [{ on: run.late, to: "slack:#channel" }]`.',
  deadline: 'Write `deadline: 3h` and `alerts: [{ on: run.late, to: "slack:#channel" }]`.',
  fail_fast: 'Leave it out: what needs a failed task does not start, everything else ends.',
  fail_stop: 'Leave it out: what needs a failed task does not start, everything else ends.',
  is_paused_upon_creation: 'Write `environments: { dev: { paused: true } }` where it should be paused.',
  access_control: 'Give tokens rights: `sluice token create`.',
  owner_links: 'Write the address into `description`.',
  template_searchpath: 'Name files from dags/ on: `run: bash reports/load.sh`.',
  jinja_environment_kwargs: 'Expressions are CEL; see docs/pipeline-file.md.',
  user_defined_macros: 'Expressions are CEL; calculate in the task instead.',
  user_defined_filters: 'Expressions are CEL; calculate in the task instead.',
  render_template_as_native_obj: 'Leave it out: an expression that is a whole value keeps its type.',
  rerun_with_latest_version: 'Say it when you rerun: `sluice runs rerun RUN --current-release`.',
  allowed_run_types: 'Leave it out; rights of tokens say who may start runs.',
  inlets: 'Declare what the task reads: `paths:` and `reads:`.',
  outlets: 'Declare what the task writes: `paths:` and `writes:`; pipelines that read it wait for it.',
  queue: ENVIRONMENT,
  executor: ENVIRONMENT,
  executor_config: ENVIRONMENT,
  resources: ENVIRONMENT,
  run_as_user: 'Leave it out: tasks never run as the user of the server where that can be helped.',
  retry_policy: 'Write `retries: { max, on: [exit codes, timeout, lost] }`.',
  max_active_tis_per_dag: 'Give the task a pool of its own with that many slots.',
  task_concurrency: 'Give the task a pool of its own with that many slots.',
  map_index_template: 'Leave it out: task runs of a fan-out are named by their values.',
  variables_as_arguments: 'Put the values under `vars:` in environments/<name>.yaml and use `${{ env.vars.name }}`.',
  templates_dict: 'Pass the values in `env`.',
  weight_rule: 'Write `priority` of each task.',
  params: 'Declare it under `params:` of the pipeline.',
  start_date: 'Put tasks with times of their own into a pipeline of their own.',
  end_date: 'Put tasks with times of their own into a pipeline of their own.',
  is_setup: 'Leave it out: what needs it runs after it.',
  doc_md_file_path: 'Write the text into `description`.',
  output_processor: 'Write what later tasks need to $SLUICE_OUTPUT.',
};

/** What changes nothing in how a run goes, or says what Sluice does anyway. */
export const WITHOUT_EFFECT: ReadonlySet<string> = new Set(
  `dag_display_name task_display_name default_view orientation do_xcom_push multiple_outputs email_on_failure
   email_on_retry is_setup on_failure_fail_dagrun ignore_downstream_trigger_rules show_return_value_in_logs append_env
   ignore_first_depends_on_past doc_md_python_callable_name doc_md_python_callable_file doc_md_python_arguments tooltip depends_on_past_default
   retry_exponential_backoff retry_delay max_retry_delay wait_for_completion reschedule`.split(/\s+/),
);
