import { open, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import type { Findings } from './findings.ts';
import { checkMetric, checkOutput, malformed, outputValue } from './protocol.ts';

/** The files through which a process tells its outputs, metrics and summary; they stand beside its scratch folder. */
export interface ResultFiles {
  readonly output: string;
  readonly metrics: string;
  readonly summary: string;
}

const MAX_OUTPUT_FILE_BYTES = 512 * 1024;
const MAX_METRICS_FILE_BYTES = 8 * 1024 * 1024;
const MAX_SUMMARY_FILE_BYTES = 128 * 1024;

export function resultFiles(scratch: string): ResultFiles {
  return { output: `${scratch}.output`, metrics: `${scratch}.metrics`, summary: `${scratch}.summary` };
}

/** Reads what the process left in its result files into `findings`. Files that do not exist cost three system calls. */
export async function collectResultFiles(files: ResultFiles, findings: Findings): Promise<void> {
  if (existsSync(files.output)) {
    const { text, bytes } = await readBounded(files.output, MAX_OUTPUT_FILE_BYTES);
    if (bytes > MAX_OUTPUT_FILE_BYTES) findings.refuseOutputs(bytes);
    else for (const line of linesOf(text)) addOutputLine(line, findings);
  }
  if (existsSync(files.metrics)) {
    const { text, bytes } = await readBounded(files.metrics, MAX_METRICS_FILE_BYTES);
    if (bytes > MAX_METRICS_FILE_BYTES)
      findings.remark(`$SLUICE_METRICS of ${bytes} bytes: only the first ${MAX_METRICS_FILE_BYTES} are read`);
    // The last line is torn where reading stopped.
    const whole = bytes > MAX_METRICS_FILE_BYTES ? text.slice(0, text.lastIndexOf('\n') + 1) : text;
    for (const line of linesOf(whole)) addMetricLine(line, findings);
  }
  if (existsSync(files.summary)) {
    const { text, bytes } = await readBounded(files.summary, MAX_SUMMARY_FILE_BYTES);
    findings.setSummary(text, bytes <= MAX_SUMMARY_FILE_BYTES);
  }
}

function addOutputLine(line: string, findings: Findings): void {
  if (line.startsWith('{')) {
    const object = parseObject(line);
    if (object === null) findings.add(malformed(`$SLUICE_OUTPUT ${line}: not a JSON object`));
    else for (const [key, value] of Object.entries(object)) findings.add(checkOutput(key, value));
    return;
  }
  const at = line.indexOf('=');
  if (at < 1) findings.add(malformed(`$SLUICE_OUTPUT ${line}: expected key=value or a JSON object`));
  else findings.add(checkOutput(line.slice(0, at).trim(), outputValue(line.slice(at + 1))));
}

function addMetricLine(line: string, findings: Findings): void {
  const point = parseObject(line);
  if (point === null) {
    findings.add(malformed(`$SLUICE_METRICS ${line}: expected {"name": …, "value": …} on one line`));
    return;
  }
  const ts = typeof point.ts === 'string' ? Date.parse(point.ts) : point.ts;
  const at = typeof ts === 'number' && Number.isFinite(ts) && ts > 0 ? Math.round(ts) : undefined;
  findings.add(checkMetric(point.name, point.value, point.step), at);
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null; // said by the caller, with the place
  }
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/** Never more than `limit` bytes in memory, whatever the task wrote; a pipe or a device is not read at all. */
async function readBounded(file: string, limit: number): Promise<{ text: string; bytes: number }> {
  const about = await stat(file);
  if (!about.isFile()) return { text: '', bytes: 0 };
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(about.size, limit));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return { text: buffer.toString('utf8', 0, bytesRead), bytes: about.size };
  } finally {
    await handle.close();
  }
}
