import { didYouMean } from '../source/did-you-mean.ts';
import { code, listed, quote } from '../source/quote.ts';
import { typeFault, type ExpressionTypes, type ResultKind } from './expression-types.ts';
import { isScopeName, parseProgram, SCOPE_NAMES, type Reference } from './program.ts';

interface Known extends Iterable<string> {
  has(name: string): boolean;
}

/** What exists at the place of an expression; null: that name has no meaning there. */
export interface Names {
  /** `task "train"`, `path "raw"`: for messages. */
  readonly place: string;
  readonly params: Known;
  readonly matrix: Known | null;
  readonly tasks: { readonly visible: { has(id: string): boolean }; readonly all: Known } | null;
  readonly metrics: Known | null;
  readonly outputs: boolean;
  /** Metrics of the run before, known to gates only. */
  readonly baseline: boolean;
  /** `run.state` exists in `finally:` only. */
  readonly runState: boolean;
  /** What an `http` or `wait` task alone knows; absent: nothing. */
  readonly waiting?: 'response' | 'now';
  /** The payload of an event, known where parameters are made from it; nothing else is known there. */
  readonly event?: true;
  readonly types: ExpressionTypes;
}

export interface ExpressionFault {
  /** Into the expression. */
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

/** Everything that is wrong with an expression at its place: syntax, names, types, kind of result. */
export function checkExpression(expression: string, names: Names, result: ResultKind): ExpressionFault[] {
  const parsed = parseProgram(expression);
  if (!parsed.ok) {
    const message = `Expression ${code(expression)} is not valid: ${parsed.message}.`;
    return [{ offset: parsed.offset, message, hint: syntaxHint(expression) }];
  }
  const faults = parsed.program.references.flatMap((reference) => checkReference(reference, names));
  if (faults.length > 0) return faults;
  const fault = typeFault(expression, names.types, result);
  return fault === null ? [] : [fault];
}

const RARE_NAMES = ['paths', 'response', 'now', 'event'];
const KNOWN_NAMES = SCOPE_NAMES.filter((name) => !RARE_NAMES.includes(name)).join(', ');

const ELSEWHERE: Readonly<Record<string, string>> = {
  logical_date: 'Use data_interval_start.',
  execution_date: 'Use data_interval_start.',
  next_execution_date: 'Use data_interval_end.',
  data_interval: 'Use data_interval_start and data_interval_end.',
  interval: 'Use run.interval.start and run.interval.end.',
  dag_run: 'Use run.id, run.trigger or params.',
  run_id: 'Use run.id.',
  conf: 'Use params.',
  inputs: 'Use params.',
  var: 'Use env.vars.',
  vars: 'Use env.vars.',
  github: 'Use run.id, run.trigger or run.release.',
  needs: 'Use tasks.<id>.outputs.',
  steps: 'Use tasks.<id>.outputs.',
  ti: 'Use tasks.<id>.outputs.',
  secrets: 'Name the secret in `secrets:` of the task and read the variable.',
  strategy: 'Use matrix.',
};

const ABSENT: Readonly<Record<string, string>> = {
  matrix: 'Only `run`, `env` and `sql` of a task with `matrix` know it.',
  tasks: 'Only tasks know the outputs of tasks before them.',
  paths: 'Read the folder from the variable: "$PATH_RAW" in run, ctx.paths.raw in node and python.',
  metrics: 'Only `checks` and `gate` of a task know its metrics.',
  baseline: 'Only `gate` of a task knows it.',
  outputs: 'Only `checks` and `gate` of a task know its outputs; later tasks use tasks.<id>.outputs.',
  response: 'Only `expr` and `outputs` of an HTTP request know it.',
  now: 'Only `wait: { expr: … }` knows it.',
  event: 'Make parameters of it under `schedule: { events: … }`, and use params.',
};

function checkReference(reference: Reference, names: Names): ExpressionFault[] {
  const { root, members, offset } = reference;
  const fault = (message: string, hint: string): ExpressionFault[] => [{ offset, message, hint }];
  if (!isScopeName(root))
    return fault(
      `The name ${quote(root)} is not known in an expression.`,
      (Object.hasOwn(ELSEWHERE, root) ? ELSEWHERE[root] : undefined) ??
        didYouMean(root, SCOPE_NAMES, `Known names: ${KNOWN_NAMES}. Texts need quotes.`),
    );
  if (names.event === true || root === 'event') return checkEvent(root, names, fault);
  const [member, second] = members;
  const unknown = (what: string, known: Iterable<string>, declare: string): ExpressionFault[] =>
    member === undefined
      ? fault(`${root} needs a name behind it.`, `Write ${root}.<name>.`)
      : fault(`There is no ${what} ${quote(member)}.`, didYouMean(member, known, declare));
  const needs = (known: Known | null, what: string, declare: string): ExpressionFault[] => {
    if (known === null) return fault(`${root} is not known in ${names.place}.`, ABSENT[root] ?? 'Remove it.');
    return member !== undefined && known.has(member) ? [] : unknown(what, known, declare);
  };
  switch (root) {
    case 'params':
      return needs(names.params, 'parameter', 'Declare it under `params:`.');
    case 'matrix':
      return needs(names.matrix, 'matrix axis', 'Declare it under `matrix:` of the task.');
    case 'paths':
      return needs(null, 'path', '');
    case 'metrics':
      return needs(names.metrics, 'metric', 'Declare it under `metrics:` of the task.');
    case 'baseline':
      return needs(names.baseline ? names.metrics : null, 'metric', 'Declare it under `metrics:` of the task.');
    case 'outputs':
      return names.outputs ? [] : fault(`outputs is not known in ${names.place}.`, ABSENT.outputs ?? '');
    case 'response':
      if (names.waiting !== root) return fault(`response is not known in ${names.place}.`, ABSENT.response ?? '');
      if (member === 'status' || member === 'body' || member === 'headers') return [];
      return fault('response has status, headers and body, and nothing else.', 'Write response.body.<name>.');
    case 'now':
      return names.waiting === root ? [] : fault(`now is not known in ${names.place}.`, ABSENT.now ?? '');
    case 'env':
      if (member === 'name' || member === 'vars') return [];
      return fault(
        `env has no ${quote(member)}; expected name or vars.`,
        member === undefined ? 'Write env.name.' : `Did you mean env.vars.${member}?`,
      );
    case 'run':
      return checkRun(members, names, fault);
    case 'tasks':
      return checkTasks(member, second, names, fault);
    default:
      return members.length === 0
        ? []
        : fault(`${root} is a text and has no ${quote(member)}.`, `Write ${root} alone.`);
  }
}

type Fault = (message: string, hint: string) => ExpressionFault[];

function checkEvent(root: string, names: Names, fault: Fault): ExpressionFault[] {
  if (names.event !== true) return fault(`event is not known in ${names.place}.`, ABSENT.event ?? '');
  if (root === 'event') return [];
  return fault(`${root} is not known in ${names.place}.`, 'Use event, the payload: event.file.');
}

const RUN_MEMBERS = ['id', 'trigger', 'release', 'interval'];

function checkRun(members: readonly string[], names: Names, fault: Fault): ExpressionFault[] {
  const [member, second] = members;
  if (member === 'state')
    return names.runState ? [] : fault('run.state is known in `finally:` only.', 'Move the task to `finally:`.');
  if (member === undefined || !RUN_MEMBERS.includes(member))
    return fault(
      `run has no ${quote(member)}; expected ${listed(RUN_MEMBERS)}.`,
      didYouMean(member ?? '', RUN_MEMBERS, 'Write run.id.'),
    );
  if (member === 'interval' && second !== undefined && second !== 'start' && second !== 'end')
    return fault(`run.interval has no ${quote(second)}; expected start or end.`, 'Write run.interval.start.');
  return [];
}

function checkTasks(id: string | undefined, member: string | undefined, names: Names, fault: Fault): ExpressionFault[] {
  if (names.tasks === null) return fault(`tasks is not known in ${names.place}.`, ABSENT.tasks ?? '');
  if (id === undefined) return fault('tasks needs the id of a task behind it.', 'Write tasks.<id>.outputs.');
  if (!names.tasks.all.has(id))
    return fault(
      `There is no task ${quote(id)}.`,
      didYouMean(id, names.tasks.all, `Known tasks: ${[...names.tasks.all].slice(0, 20).join(', ')}.`),
    );
  if (!names.tasks.visible.has(id))
    return fault(
      `Task ${quote(id)} does not run before ${names.place}, so its outputs are not known there.`,
      `Add \`needs: [${id}]\`.`,
    );
  if (member !== 'outputs' && member !== 'state')
    return fault(
      `tasks.${id} has no ${member === undefined ? 'value of its own' : quote(member)}; expected outputs or state.`,
      member === undefined ? `Write tasks.${id}.outputs.` : `Did you mean tasks.${id}.outputs.${member}?`,
    );
  return [];
}

function syntaxHint(expression: string): string {
  if (/[^=!<>]=[^=]/.test(expression)) return 'Compare with ==.';
  if (/\band\b|\bor\b|\bnot\b/.test(expression)) return 'Write && for and, || for or, ! for not.';
  if (expression.includes('|')) return 'There are no filters; write a function call such as x.lowerAscii().';
  return 'Expressions are CEL: a.b, ==, &&, ||, !, ?:, in, has(x.y), size(x), list.map(x, …).';
}
