import type { TaskBody } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { hasExpressions, soleExpression } from '../expression/template.ts';
import type { SparkShape } from '../shape/spark-shape.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';
import { checkFile } from './task-files.ts';

/** A program of the release for spark-submit. Everything that the command line shows is looked at for what must not be on it. */
export function sparkBody(written: SparkShape, place: Path, names: Names, compiling: Compiling): TaskBody {
  const {
    file,
    class: mainClass,
    args = [],
    conf = {},
    master,
    packages = [],
    py_files: pyFiles = [],
  } = typeof written === 'string' ? { file: written } : written;
  checkProgram(file, mainClass, typeof written === 'string' ? place : [...place, 'file'], place, compiling);
  pyFiles.forEach((one, index) => checkPyFile(one, [...place, 'py_files', index], compiling));
  compiling.checkTree(args, [...place, 'args'], names);
  compiling.checkTree(conf, [...place, 'conf'], names);
  for (const [setting, value] of Object.entries(conf))
    checkSetting(setting, value, [...place, 'conf', setting], compiling);
  if (master !== undefined) checkMaster(master, [...place, 'master'], names, compiling);
  return { kind: 'spark', file, mainClass: mainClass ?? null, args, conf, master: master ?? null, packages, pyFiles };
}

function checkProgram(file: string, mainClass: string | undefined, at: Path, place: Path, compiling: Compiling): void {
  if (!/\.(py|jar)$/.test(file))
    compiling.at(
      at,
      `spark is ${quote(file)}; expected a .py or .jar file.`,
      'Write for example churn/sums.py, or `run:` to call spark-submit yourself.',
    );
  else checkFile(file, at, compiling);
  if (mainClass !== undefined && file.endsWith('.py'))
    compiling.atKey([...place, 'class'], 'class has no meaning with a .py file.', 'Remove it.');
}

function checkPyFile(file: string, place: Path, compiling: Compiling): void {
  if (/\.(py|zip|egg)$/.test(file)) checkFile(file, place, compiling);
  else
    compiling.at(
      place,
      `py_files names ${quote(file)}; expected a .py, .zip or .egg file.`,
      'For example: lib/helpers.py.',
    );
}

/** What Spark itself hides in its log: its `spark.redaction.regex`. */
const SECRET = /secret|password|token|access[.]?key/i;
/** What Hadoop replaces by a variable of the environment, in settings that are its own. */
const FROM_ENVIRONMENT = /^\$\{env\.\w+\}$/;

function checkSetting(setting: string, value: unknown, place: Path, compiling: Compiling): void {
  if (setting === 'spark.master') {
    compiling.atKey(place, 'spark.master stands in `conf`.', 'Write `master:` instead.');
  } else if (setting === 'spark.submit.deployMode' && value !== 'client') {
    compiling.at(
      place,
      `spark.submit.deployMode is ${quote(value)}; expected client: a driver elsewhere would outlive a task that is cancelled.`,
      'Remove it.',
    );
  } else if (SECRET.test(setting) && typeof value === 'string' && !FROM_ENVIRONMENT.test(value)) {
    compiling.at(
      place,
      `The setting ${quote(setting)} would hold a secret in the file and on the command line.`,
      'Name it in `secrets:` of the task and write "${env.NAME}" for a setting spark.hadoop.…, or read it in the program from the environment.',
    );
  }
}

/** Whom the program and its secrets are sent to stands in this file or in the environment's `vars`. */
function checkMaster(master: string, place: Path, names: Names, compiling: Compiling): void {
  compiling.checkTemplate(master, place, names);
  if (hasExpressions(master) && !/^env\.vars\.\w+$/.test(soleExpression(master) ?? ''))
    compiling.at(
      place,
      `master is ${quote(master)}; only \${{ env.vars.<name> }}, and nothing beside it, may say whom the program is sent to.`,
      'Write it out, or put it under `vars:` of environments/<name>.yaml.',
    );
  else if (!hasExpressions(master) && !/^(local(\[[\w*,]+\])?|yarn|(spark|k8s):\/\/\S+)$/.test(master))
    compiling.at(
      place,
      `master is ${quote(master)}; expected local, local[2], local[*], spark://host:port, yarn or k8s://….`,
      'For example: local[2].',
    );
}
