import { type Git, records } from './git.ts';

/** Where a working tree stands; all null and empty outside git and before the first commit. */
export interface GitState {
  readonly commit: string | null;
  readonly branch: string | null;
  /** `Ada Lovelace <ada@example.com>`. */
  readonly author: string | null;
  /** First line of the commit message. */
  readonly message: string | null;
  /** The commit's files: `<mode> <object id>` by path inside the folder. */
  readonly tree: ReadonlyMap<string, string>;
}

const NOWHERE: GitState = { commit: null, branch: null, author: null, message: null, tree: new Map() };

/** Reads the state; what belongs to the commit is taken from `before` when the commit is the same. */
export async function readGitState(git: Git, folder: string, before: GitState | null): Promise<GitState> {
  const [head, symbolic] = await Promise.all([
    git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']),
    git(['symbolic-ref', '--quiet', '--short', 'HEAD']),
  ]);
  if (head === null) return NOWHERE;
  const commit = head.toString('utf8').trim();
  const branch = symbolic?.toString('utf8').trim() ?? null;
  if (before?.commit === commit) return before.branch === branch ? before : { ...before, branch };
  const [about, listing] = await Promise.all([
    git(['log', '-1', '--no-show-signature', '--format=%an <%ae>%x00%s%x00', commit, '--']),
    git(['ls-tree', '-r', '-z', commit, '--', folder]),
  ]);
  const [author = null, message = null] = about === null ? [] : records(about);
  return { commit, branch, author, message, tree: treeOf(listing, folder) };
}

function treeOf(listing: Buffer | null, folder: string): ReadonlyMap<string, string> {
  const tree = new Map<string, string>();
  for (const record of listing === null ? [] : records(listing)) {
    const [about = '', path = ''] = record.split('\t');
    const [mode, , id] = about.split(' ');
    tree.set(path.slice(folder.length + 1), `${mode} ${id}`);
  }
  return tree;
}
