import { ActionIcon, useMantineColorScheme } from '@mantine/core';
import { IconCheck, IconDeviceDesktop, IconHelp, IconMoon, IconSettings, IconSun } from '@tabler/icons-react';
import { Menu, type MenuEntry } from './menu.tsx';
import { useAbsoluteTimes, writePreference } from './preferences.ts';

const SCHEMES = [
  { value: 'light', name: 'Light', icon: IconSun },
  { value: 'dark', name: 'Dark', icon: IconMoon },
  { value: 'auto', name: 'As the system', icon: IconDeviceDesktop },
] as const;

const TIMES = [
  { value: 'no', name: 'Relative (3 min ago)' },
  { value: 'yes', name: 'Absolute, with zone' },
] as const;

/** How this reader likes to see things. */
export function ViewMenu({ onHelp }: { onHelp: () => void }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const absolute = useAbsoluteTimes();
  const tick = <IconCheck size={15} aria-label="chosen" />;
  const entries: MenuEntry[] = [
    { kind: 'label', text: 'Colours' },
    ...SCHEMES.map(({ value, name, icon: Shape }) => ({
      kind: 'item' as const,
      key: value,
      testId: `colours-${value}`,
      left: <Shape size={15} />,
      right: colorScheme === value ? tick : null,
      content: name,
      onClick: () => setColorScheme(value),
    })),
    { kind: 'label', text: 'Times' },
    ...TIMES.map(({ value, name }) => ({
      kind: 'item' as const,
      key: value,
      right: absolute === (value === 'yes') ? tick : null,
      content: name,
      onClick: () => writePreference('absolute-times', value),
    })),
    { kind: 'line' },
    {
      kind: 'item',
      key: 'help',
      left: <IconHelp size={15} />,
      right: <span className="dim">?</span>,
      content: 'Keyboard and marks',
      onClick: onHelp,
    },
  ];
  return (
    <Menu
      position="top-end"
      width={220}
      entries={entries}
      target={(props) => (
        <ActionIcon aria-label="View and help" title="View and help" data-testid="view-menu" {...props}>
          <IconSettings size={17} stroke={1.7} />
        </ActionIcon>
      )}
    />
  );
}
