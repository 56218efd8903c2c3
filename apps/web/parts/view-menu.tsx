import { ActionIcon, Menu, useMantineColorScheme } from '@mantine/core';
import { IconCheck, IconDeviceDesktop, IconHelp, IconMoon, IconSettings, IconSun } from '@tabler/icons-react';
import { useAbsoluteTimes, writePreference } from './preferences.ts';

const SCHEMES = [
  { value: 'light', name: 'Light', icon: IconSun },
  { value: 'dark', name: 'Dark', icon: IconMoon },
  { value: 'auto', name: 'As the system', icon: IconDeviceDesktop },
] as const;

/** How this reader likes to see things. */
export function ViewMenu({ onHelp }: { onHelp: () => void }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const absolute = useAbsoluteTimes();
  const tick = <IconCheck size={15} aria-label="chosen" />;
  return (
    <Menu position="top-end" width={210}>
      <Menu.Target>
        <ActionIcon aria-label="View and help" data-testid="view-menu">
          <IconSettings size={17} stroke={1.7} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Colours</Menu.Label>
        {SCHEMES.map(({ value, name, icon: Shape }) => (
          <Menu.Item
            key={value}
            leftSection={<Shape size={15} />}
            rightSection={colorScheme === value ? tick : null}
            onClick={() => setColorScheme(value)}
            data-testid={`colours-${value}`}
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Label>Times</Menu.Label>
        <Menu.Item rightSection={absolute ? null : tick} onClick={() => writePreference('absolute-times', 'no')}>
          Relative (3 min ago)
        </Menu.Item>
        <Menu.Item rightSection={absolute ? tick : null} onClick={() => writePreference('absolute-times', 'yes')}>
          Absolute, with zone
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconHelp size={15} />} rightSection={<span className="dim">?</span>} onClick={onHelp}>
          Keyboard and marks
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
