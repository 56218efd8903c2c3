import { CopyButton } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { shortDigest } from './digest.ts';
import { IconButton } from './icon-button.tsx';

/** An id in full (or the start of a hash), with a button that copies all of it. */
export function CopyId({ id, short = false }: { id: string; short?: boolean }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 2 }}>
      <span className="mono" title={short ? id : undefined}>
        {short ? shortDigest(id) : id}
      </span>
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <IconButton size={20} onClick={copy} name={copied ? 'Copied' : `Copy ${short ? shortDigest(id) : id}`}>
            {copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
          </IconButton>
        )}
      </CopyButton>
    </span>
  );
}
