// A warm process for `sql:` tasks: DuckDB in memory, a fresh instance per attempt. Before the text runs, the instance is
// shut in: it reads and writes the attempt's folders, the release and the data folders, and nothing else, and that
// cannot be undone from SQL.
import fs from 'node:fs';
import path from 'node:path';
import { DuckDBInstance, DuckDBTypeId, JsonDuckDBValueConverter, StatementType } from '@duckdb/node-api';
import { checkTables } from './table-checks.mjs';
import { receiveOrders, sendDone, sendEvent, sendOutput } from './warm-channel.mjs';

const { threads, memoryLimit, spillFolder } = JSON.parse(process.argv[2]);
const WIDE_INTEGERS = new Set(['BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT'].map((name) => DuckDBTypeId[name]));

// Made ahead: creating an instance takes longer than most queries.
let spare = open();
receiveOrders((order) => void runAttempt(order));

async function runAttempt(order) {
  const { instance, connection } = await spare;
  sendDone(order.tables === undefined ? await perform(connection, order) : await look(connection, order));
  connection.closeSync();
  instance.closeSync();
  spare = open();
}

async function open() {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads), memory_limit: memoryLimit });
  const connection = await instance.connect();
  await connection.run(`set TimeZone = 'UTC'; set temp_directory = ${quote(spillFolder)}`);
  return { instance, connection };
}

async function perform(connection, order) {
  let outputs = {};
  try {
    process.chdir(order.releaseDir);
    const text = order.text ?? fs.readFileSync(path.join(order.releaseDir, order.file), 'utf8');
    // One after the other: a connection runs one statement at a time.
    for (const [name, value] of mentioned(text, order.variables)) await setVariable(connection, name, value);
    await shutIn(connection, order);
    await hold(connection, order);
    const statements = await connection.extractStatements(text);
    for (let index = 0; index < statements.count; index += 1) {
      const from = performance.now();
      const { name, rows, row } = await runStatement(await statements.prepare(index));
      if (row !== null) outputs = row;
      const took = ((performance.now() - from) / 1000).toFixed(3);
      sendOutput('out', Buffer.from(`[${index + 1}/${statements.count}] ${name}: ${rows} rows in ${took} s\n`));
    }
    return { kind: 'success', outputs };
  } catch (error) {
    return failure(error, order.file);
  }
}

/** The rows that an attempt wrote, instead of a text of its own. */
async function look(connection, order) {
  try {
    const texts = order.tables.flatMap(({ checks }) => checks.map(({ test }) => test.text ?? '')).join('\n');
    for (const [name, value] of mentioned(texts, order.variables)) await setVariable(connection, name, value);
    await shutIn(connection, order);
    await hold(connection, order);
    await checkTables(connection, order, (result) => sendEvent({ type: 'check', result }));
    return { kind: 'success', outputs: {} };
  } catch (error) {
    return failure(error, null);
  }
}

/** A prepared value per variable: nothing of a parameter is ever part of the SQL text. */
async function setVariable(connection, name, value) {
  const statement = await connection.prepare(`set variable "${name.replaceAll('"', '""')}" = $1`);
  if (value === null || value === undefined) statement.bindNull(1);
  else if (typeof value === 'boolean') statement.bindBoolean(1, value);
  else if (typeof value === 'number' && Number.isSafeInteger(value)) statement.bindBigInt(1, BigInt(value));
  else if (typeof value === 'number') statement.bindDouble(1, value);
  else statement.bindVarchar(1, typeof value === 'string' ? value : JSON.stringify(value));
  await statement.run();
}

/** Binding costs half a millisecond each, so only the variables that the text names, unless it computes a name. */
function mentioned(text, variables) {
  const uses = text.match(/getvariable/gi)?.length ?? 0;
  const names = [...text.matchAll(/getvariable\s*\(\s*'([^']*)'\s*\)/gi)].map((match) => match[1].toLowerCase());
  const all = Object.entries(variables);
  return names.length === uses ? all.filter(([name]) => names.includes(name.toLowerCase())) : all;
}

/** DuckDB compares real paths: the versions behind a folder of links are named one by one. */
async function shutIn(connection, { folders, releaseDir, dataFolders }) {
  const allowed = new Set([...folders, releaseDir, ...dataFolders].map(realPath));
  for (const folder of folders)
    for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
      if (entry.isSymbolicLink()) allowed.add(realPath(path.join(folder, entry.name)));
  await connection.run(`set allowed_directories = [${[...allowed].map(quote).join(', ')}]`);
  await connection.run('set enable_external_access = false');
}

/** To what the task asked for. */
async function hold(connection, { settings }) {
  for (const [name, value] of Object.entries(settings)) await connection.run(`set ${name} = ${quote(value)}`);
}

async function runStatement(statement) {
  const type = statement.statementType;
  const result = await statement.stream();
  let rows = 0;
  let first = null;
  // To the last row, though only one is kept: errors in later rows count.
  for (let chunk = await result.fetchChunk(); chunk?.rowCount > 0; chunk = await result.fetchChunk()) {
    first ??= chunk;
    rows += chunk.rowCount;
  }
  const isSelect = type === StatementType.SELECT;
  return {
    name: (StatementType[type] ?? 'statement').toLowerCase().replaceAll('_', ' '),
    rows: isSelect ? rows : result.rowsChanged,
    row: isSelect && rows === 1 ? rowOf(first, result.columnNames()) : null,
  };
}

function rowOf(chunk, names) {
  const columns = chunk.convertColumns(toJson);
  return Object.fromEntries(names.map((name, index) => [name, columns[index][0]]));
}

/** Numbers where JavaScript holds them exactly, text otherwise. */
function toJson(value, type, convert) {
  if (value === null || value === undefined) return null;
  if (WIDE_INTEGERS.has(type.typeId)) return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (type.typeId === DuckDBTypeId.DECIMAL) return Number(value.toString());
  return JsonDuckDBValueConverter(value, type, convert);
}

function failure(error, file) {
  const message = `${file === null ? '' : `${file}: `}${error.message}`;
  sendOutput('err', Buffer.from(`${message}\n`));
  const [first] = message.split('\n');
  const line = /^LINE (\d+):/m.exec(message);
  // The instance is thrown away: nothing of the failure stays in this process.
  return { kind: 'failed', message: line === null ? first : `${first} (line ${line[1]})`, reusable: true };
}

function realPath(folder) {
  try {
    return fs.realpathSync(folder);
  } catch {
    return path.resolve(folder); // a data folder that is not there here
  }
}

function quote(text) {
  return `'${text.replaceAll("'", "''")}'`;
}
