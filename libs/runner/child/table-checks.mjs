// Looks at the rows that an attempt wrote, in the DuckDB of a `sql:` worker that is shut in already. Each path is a table
// by its name. Bad rows are put aside by writing the files that hold some anew, without them.
import fs from 'node:fs';
import path from 'node:path';

const SAMPLE_ROWS = 5;
const FORMATS = {
  parquet: { read: 'read_parquet', write: 'format parquet, compression zstd' },
  csv: { read: 'read_csv', write: 'format csv, header' },
  json: { read: 'read_json', write: 'format json' },
};
const ENDINGS = { '.parquet': 'parquet', '.csv': 'csv', '.json': 'json', '.ndjson': 'json', '.jsonl': 'json' };

/** Calls `tell` with the result of each check. Rows are put aside only when nothing failed. */
export async function checkTables(connection, { tables, reference }, tell) {
  let failed = false;
  const putAside = [];
  for (const table of tables) {
    const opened = await openTable(connection, table).catch((error) => ({ problem: firstLine(error) }));
    for (const [index, check] of table.checks.entries()) {
      const result =
        opened.problem === undefined
          ? await runCheck(connection, opened, check, index, reference).catch((error) =>
              unknown(check, firstLine(error)),
            )
          : unknown(check, opened.problem);
      failed ||= result.state === 'failed';
      tell({ name: check.name, path: table.path, rows: opened.rows ?? null, bad: null, sample: [], ...result });
    }
    if (opened.hasBad) putAside.push(opened);
  }
  if (!failed) for (const table of putAside) await quarantine(connection, table);
}

async function openTable(connection, { path: name, folder, quarantineFolder }) {
  const files = filesIn(folder);
  const formats = [...new Set(files.map((file) => ENDINGS[path.extname(file)]))];
  if (formats.length !== 1)
    throw new Error(
      `${name} holds ${formats.length === 0 ? 'no' : 'both'} ${formats.length === 0 ? 'parquet, csv or json files' : `${formats.join(' and ')} files`}`,
    );
  const [format] = formats;
  const { read } = FORMATS[format];
  const table = identifier(name);
  if (quarantineFolder === null)
    await connection.run(
      `create view ${table} as select * from ${read}([${files.map(literal).join(', ')}], union_by_name = true)`,
    );
  else {
    let rows = 0;
    for (const [index, file] of files.entries()) {
      const select = `select *, ${index} as _file, ${rows} + row_number() over () as _row from ${read}(${literal(file)})`;
      await connection.run(
        index === 0 ? `create table ${table} as ${select}` : `insert into ${table} by name ${select}`,
      );
      rows = await numberOf(connection, `select count(*) from ${table}`);
    }
    await connection.run(`create table ${badOf(name)} (_row bigint, _check varchar)`);
  }
  return {
    name,
    table,
    files,
    format,
    quarantineFolder,
    rows: await numberOf(connection, `select count(*) from ${table}`),
    hasBad: false,
  };
}

async function runCheck(connection, opened, check, index, reference) {
  const { test } = check;
  if (test.kind === 'rows') return verdict(check, null, boundProblem(opened.rows, test.min, test.max, 'rows'));
  if (test.kind === 'fresh') return verdict(check, null, await freshProblem(connection, opened, test, reference));
  const bad = badRows(opened, test);
  const count = await numberOf(connection, `select count(*) from (${bad})`);
  if (count === 0) return verdict(check, 0, null);
  const hidden = opened.quarantineFolder === null ? '' : ' exclude (_row, _file)';
  // Rows of a free select may lack what is hidden.
  const reader = await connection
    .runAndReadAll(`select *${hidden} from (${bad}) limit ${SAMPLE_ROWS}`)
    .catch(() => connection.runAndReadAll(`select * from (${bad}) limit ${SAMPLE_ROWS}`));
  if (check.onFail === 'quarantine') {
    await connection
      .run(`insert into ${badOf(opened.name)} select _row, ${literal(check.name)} from (${bad})`)
      .catch((error) => {
        throw new Error(`${firstLine(error)}; rows are put aside by their column _row, so select it`);
      });
    opened.hasBad = true;
  }
  return { ...verdict(check, count, `${count} of ${opened.rows} rows`), sample: reader.getRowObjectsJson() };
}

/** A select of the bad rows. */
function badRows({ table, quarantineFolder }, test) {
  if (test.kind === 'sql') return test.text;
  const names = (test.columns ?? [test.column]).map(identifier);
  switch (test.kind) {
    case 'not_null':
      return `select * from ${table} where ${names.map((name) => `${name} is null`).join(' or ')}`;
    case 'unique':
      return `select * from ${table} qualify row_number() over (partition by ${names.join(', ')}${quarantineFolder === null ? '' : ' order by _row'}) > 1`;
    case 'range':
      return `select * from ${table} where ${[
        ...(test.min === null ? [] : [`${names[0]} < ${test.min}`]),
        ...(test.max === null ? [] : [`${names[0]} > ${test.max}`]),
      ].join(' or ')}`;
    default:
      return `select * from ${table} where ${names[0]} not in (${test.values.map(scalar).join(', ')})`;
  }
}

async function freshProblem(connection, { table }, { column, withinMs }, reference) {
  const newest = await numberOf(connection, `select epoch_ms(max(${identifier(column)})::timestamptz) from ${table}`);
  if (newest === null) return 'it has no value';
  const at = reference === null ? Date.now() : Date.parse(reference);
  if (at - newest <= withinMs) return null;
  return `the newest value is ${new Date(newest).toISOString()}, ${Math.round((at - newest) / 1000)} s old; at most ${withinMs / 1000} s is allowed`;
}

function boundProblem(value, min, max, what) {
  if (min !== null && value < min) return `${value} ${what}, at least ${min} are expected`;
  if (max !== null && value > max) return `${value} ${what}, at most ${max} are expected`;
  return null;
}

const STATES = { fail: 'failed', warn: 'warned', quarantine: 'quarantined' };

function verdict({ onFail }, bad, problem) {
  return problem === null ? { state: 'passed', bad, detail: 'holds' } : { state: STATES[onFail], bad, detail: problem };
}

/** What cannot be looked at is not good: nothing can be put aside either. */
function unknown({ onFail }, problem) {
  return { state: onFail === 'warn' ? 'warned' : 'failed', detail: `cannot be evaluated (${problem})` };
}

async function quarantine(connection, { name, table, files, format, quarantineFolder }) {
  const bad = badOf(name);
  const { write } = FORMATS[format];
  const touched = await connection.runAndReadAll(
    `select distinct _file from ${table} where _row in (select _row from ${bad})`,
  );
  for (const { _file: index } of touched.getRowObjectsJson()) {
    const file = files[Number(index)];
    const good = `select * exclude (_row, _file) from ${table} where _file = ${Number(index)} and _row not in (select _row from ${bad}) order by _row`;
    // Beside it first: the file that is read must not be the one that is written.
    const next = `${file}.good${path.extname(file)}`;
    await connection.run(`copy (${good}) to ${literal(next)} (${write})`);
    fs.renameSync(next, file);
  }
  const rows = `
    select b.checks as _check, r.* exclude (_row, _file)
    from ${table} r
    join (select _row, string_agg(distinct _check, '; ' order by _check) as checks from ${bad} group by _row) b using (_row)
    order by r._row`;
  await connection.run(`copy (${rows}) to ${literal(path.join(quarantineFolder, `rows.${format}`))} (${write})`);
}

/** In order of their names; what no format is known of is left alone. */
function filesIn(folder) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && path.extname(entry.name) in ENDINGS)
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

async function numberOf(connection, sql) {
  const reader = await connection.runAndReadAll(`select (${sql})::double as n`);
  return reader.getRowObjectsJson()[0].n;
}

function badOf(name) {
  return identifier(`_bad_${name}`);
}

function identifier(name) {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text) {
  return `'${text.replaceAll("'", "''")}'`;
}

function scalar(value) {
  return typeof value === 'string' ? literal(value) : String(value);
}

function firstLine(error) {
  return error.message.split('\n')[0];
}
