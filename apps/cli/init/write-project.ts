import { access, appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from '../package-root.ts';

export interface Written {
  /** From the new project's root, with forward slashes. */
  readonly file: string;
  readonly was: 'written' | 'left as it is' | 'amended' | 'renewed';
}

const SCHEMAS = '.sluice/schema';
/** Names that cannot lie in the template folder as they are called: npm and editors would take them for their own. */
const RENAMED: Readonly<Record<string, string>> = {
  'vscode-settings.json': '.vscode/settings.json',
  'sluice.yml': '.github/workflows/sluice.yml',
  'gitlab-ci.yml': '.gitlab-ci.yml',
};

/** Each is a folder of templates/ci. */
export type CiSystem = 'jenkins' | 'github' | 'gitlab';

/** JSON Schemas by the kind of file. */
export interface ProjectSchemas {
  readonly pipeline: object;
  readonly tests: object;
}

/** Writes the files of a new project into `root`; a file that is there is never changed, except that .gitignore gains a line. */
export async function writeProject(root: string, template: string | null, schemas: ProjectSchemas): Promise<Written[]> {
  const written: Written[] = [];
  for (const name of template === null ? ['base'] : ['base', template])
    written.push(...(await writeTemplate(root, name)));
  // Made by us from the program, under .sluice: nobody edits it, and an old one would mislead the editor.
  await mkdir(join(root, SCHEMAS), { recursive: true });
  for (const [name, schema] of Object.entries(schemas)) {
    const file = `${SCHEMAS}/${name}.json`;
    await writeFile(join(root, file), `${JSON.stringify(schema, null, 2)}\n`);
    written.push({ file, was: 'renewed' });
  }
  written.push({ file: '.gitignore', was: await ignoreHome(join(root, '.gitignore')) });
  return written;
}

/** Writes the file by which a CI system promotes this project. One that is there is never changed. */
export function writeCi(root: string, system: CiSystem): Promise<Written[]> {
  return writeTemplate(root, `ci/${system}`);
}

/** Whether the folder has pipelines already. */
export async function hasPipelines(root: string): Promise<boolean> {
  return access(join(root, 'dags')).then(
    () => true,
    () => false,
  );
}

async function writeTemplate(root: string, name: string): Promise<Written[]> {
  const source = join(packageRoot(), 'templates', name);
  const written: Written[] = [];
  for (const file of await filesOf(source)) {
    const target = RENAMED[file] ?? file;
    written.push({ file: target, was: await writeNew(join(root, target), await readFile(join(source, file))) });
  }
  return written;
}

async function filesOf(folder: string, prefix = ''): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true });
  const found = await Promise.all(
    entries.map((entry) => {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      return entry.isDirectory() ? filesOf(folder, path) : [path];
    }),
  );
  return found.flat().sort();
}

/** Writes a file that is not there yet. */
export async function writeNew(file: string, content: Buffer): Promise<'written' | 'left as it is'> {
  await mkdir(dirname(file), { recursive: true });
  try {
    // `wx` refuses a file that is there, and a link that leads elsewhere, in the same step that would create it.
    await writeFile(file, content, { flag: 'wx' });
    return 'written';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'left as it is';
    throw error;
  }
}

async function ignoreHome(file: string): Promise<Written['was']> {
  const created = await writeNew(file, Buffer.from('.sluice/\nnode_modules/\n'));
  if (created === 'written') return created;
  const text = await readFile(file, 'utf8');
  if (/^\/?\.sluice\/?\s*$/m.test(text)) return 'left as it is';
  await appendFile(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}.sluice/\n`);
  return 'amended';
}
