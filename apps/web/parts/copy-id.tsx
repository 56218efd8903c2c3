import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { shortDigest } from './digest.ts';

/** An id in full (or the start of a hash), with a button that copies all of it. */
export function CopyId({ id, short = false }: { id: string; short?: boolean }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 2 }}>
      <span className="mono" title={short ? id : undefined}>
        {short ? shortDigest(id) : id}
      </span>
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : 'Copy'}>
            <ActionIcon size={20} onClick={copy} aria-label={`Copy ${short ? shortDigest(id) : id}`}>
              {copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </span>
  );
}
