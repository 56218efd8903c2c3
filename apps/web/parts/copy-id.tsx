import { CopyButton } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { IconButton } from './icon-button.tsx';

/** An id, or the part of it that is `shown`, with a button that copies all of it. */
export function CopyId({ id, shown = id }: { id: string; shown?: string }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 2 }}>
      <span className="mono" title={shown === id ? undefined : id}>
        {shown}
      </span>
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <IconButton size={20} onClick={copy} name={copied ? 'Copied' : `Copy ${shown}`}>
            {copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
          </IconButton>
        )}
      </CopyButton>
    </span>
  );
}
