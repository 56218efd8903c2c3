import { lazy, Suspense, useState, type MouseEventHandler, type ReactElement, type ReactNode } from 'react';

const OpenMenu = lazy(() => import('./open-menu.tsx').then((file) => ({ default: file.OpenMenu })));

export type MenuEntry =
  | { readonly kind: 'label'; readonly text: string }
  | { readonly kind: 'line' }
  | {
      readonly kind: 'item';
      readonly key: string;
      readonly content: ReactNode;
      readonly left?: ReactNode;
      readonly right?: ReactNode;
      readonly disabled?: boolean;
      readonly testId?: string;
      readonly onClick?: () => void;
    };

export interface MenuProps {
  /** The button; gets what makes it open the menu. */
  readonly target: (props: {
    onClick?: MouseEventHandler;
    'aria-haspopup': 'menu';
    'aria-expanded': boolean;
  }) => ReactElement;
  readonly entries: readonly MenuEntry[];
  readonly width: number;
  readonly position: 'bottom-start' | 'bottom-end' | 'top-end';
}

/** A button with a menu. What positions menus is large and not needed before the first click. */
export function Menu(props: MenuProps) {
  const [used, setUsed] = useState(false);
  const closed = props.target({ onClick: () => setUsed(true), 'aria-haspopup': 'menu', 'aria-expanded': false });
  if (!used) return closed;
  return (
    <Suspense fallback={closed}>
      <OpenMenu {...props} />
    </Suspense>
  );
}
