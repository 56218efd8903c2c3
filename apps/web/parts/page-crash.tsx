import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import { Notice } from './notice.tsx';
import { PageHead } from './page.tsx';

/** Shown instead of a page that threw: the rest of the app stays usable. */
export function PageCrash({ error, reset }: ErrorComponentProps) {
  return (
    <Notice
      title="This page broke"
      tone="bad"
      hint="Reloading usually helps. If not, the message below belongs in a bug report."
    >
      <pre className="mono" style={{ whiteSpace: 'pre-wrap', margin: 0 }}>
        {error instanceof Error ? error.message : String(error)}
      </pre>
      <Button variant="default" mt="sm" onClick={reset}>
        Try again
      </Button>
    </Notice>
  );
}

export function NotFound() {
  return (
    <>
      <PageHead title="Not found" name="Not found" />
      <Notice title="There is no such page" hint="The address may be from another version.">
        <Link to="/" className="link">
          Go to Today
        </Link>
      </Notice>
    </>
  );
}
