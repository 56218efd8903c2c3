import type { MouseEventHandler, ReactNode } from 'react';
import { ActionIcon, type ActionIconProps } from '@mantine/core';

interface IconButtonProps extends Omit<ActionIconProps, 'aria-label'> {
  /** What it does: read out, and shown on hover. */
  readonly name: string;
  /** The key that does the same; shown on hover. */
  readonly shortcut?: string;
  readonly pressed?: boolean;
  readonly onClick?: MouseEventHandler | undefined;
  readonly children: ReactNode;
  readonly testId?: string;
}

/** A button that shows only an icon. */
export function IconButton({ name, shortcut, pressed, testId, children, ...rest }: IconButtonProps) {
  return (
    <ActionIcon
      aria-label={name}
      title={shortcut === undefined ? name : `${name}   ${shortcut}`}
      data-testid={testId}
      {...(pressed === undefined
        ? {}
        : {
            'aria-pressed': pressed,
            variant: pressed ? 'light' : 'subtle',
            color: pressed ? 'accent' : 'gray',
          })}
      {...rest}
    >
      {children}
    </ActionIcon>
  );
}
