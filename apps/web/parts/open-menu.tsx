import { useState } from 'react';
import { Menu } from '@mantine/core';
import '@mantine/core/styles/Popover.css';
import '@mantine/core/styles/Menu.css';
import type { MenuProps } from './menu.tsx';

/** The menu itself; opens as it is mounted, because a click brought it here. */
export function OpenMenu({ target, entries, width, position }: MenuProps) {
  const [opened, setOpened] = useState(true);
  return (
    <Menu
      opened={opened}
      onChange={setOpened}
      width={width}
      position={position}
      offset={4}
      shadow="md"
      transitionProps={{ duration: 80 }}
    >
      <Menu.Target>{target({ 'aria-haspopup': 'menu', 'aria-expanded': opened })}</Menu.Target>
      <Menu.Dropdown>
        {entries.map((entry, index) => {
          switch (entry.kind) {
            case 'label':
              return <Menu.Label key={entry.text}>{entry.text}</Menu.Label>;
            case 'line':
              return <Menu.Divider key={`line ${index}`} />;
            case 'item':
              return (
                <Menu.Item
                  key={entry.key}
                  leftSection={entry.left}
                  rightSection={entry.right}
                  disabled={entry.disabled ?? false}
                  data-testid={entry.testId}
                  {...(entry.onClick === undefined ? {} : { onClick: entry.onClick })}
                >
                  {entry.content}
                </Menu.Item>
              );
            default:
              return null;
          }
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
