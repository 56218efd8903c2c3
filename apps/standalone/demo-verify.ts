import type { Installation } from '#platform';

interface Found {
  readonly verdict: string | null;
  readonly detail: string | null;
}

/** Executes these runs again and says whether they write the same. True when all do. */
export async function verifyRuns(
  installation: Installation,
  runs: readonly { readonly id: string; readonly pipeline: string }[],
  say: (line: string) => void,
): Promise<boolean> {
  const asked = await Promise.all(runs.map(({ id }) => installation.verify(id, 'the demo')));
  const found = await Promise.all(asked.map((id) => verdictOf(installation, id)));
  say('\nExecuted again on what they read then, without publishing:');
  for (const [index, { pipeline, id }] of runs.entries())
    say(
      `  ${pipeline.padEnd(15)}  run ${id.padStart(3)}  ${found[index]?.verdict ?? ''}. ${found[index]?.detail ?? ''}`,
    );
  return found.every(({ verdict }) => verdict === 'reproducible');
}

async function verdictOf(installation: Installation, id: string): Promise<Found> {
  for (;;) {
    const [row] = await installation.db.query<Found[]>(
      `select verdict, detail from verification where id = $1 and verdict is not null`,
      [id],
    );
    if (row !== undefined) return row;
    // A verdict tells no listener of its own here: looking is cheap.
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
