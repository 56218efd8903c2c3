import { ActionIcon, TextInput, Tooltip } from '@mantine/core';
import {
  IconArrowAutofitHeight,
  IconChevronDown,
  IconChevronUp,
  IconClock,
  IconMaximize,
  IconMinimize,
  IconSearch,
  IconTextWrap,
  type Icon,
} from '@tabler/icons-react';
import type { Log } from './use-log.ts';
import type { LogSearch } from './use-log-search.ts';
import styles from './log.module.css';

interface LogToolbarProps {
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly search: LogSearch;
  readonly onStep: (by: 1 | -1) => void;
  readonly wrap: boolean;
  readonly onWrap: () => void;
  readonly times: boolean;
  readonly onTimes: () => void;
  readonly full: boolean;
  readonly onFull: () => void;
  readonly total: number;
  readonly state: Log['state'];
}

const STATES: Readonly<Record<Log['state'], string>> = {
  reading: 'reading',
  live: 'live',
  complete: 'complete',
  failed: 'not read',
};

export function LogToolbar(props: LogToolbarProps) {
  const { query, search, total, state } = props;
  return (
    <div className={styles.toolbar}>
      <TextInput
        size="xs"
        w={260}
        placeholder="Search this log   /"
        aria-label="Search this log"
        leftSection={<IconSearch size={14} />}
        value={query}
        data-filter
        data-testid="log-search"
        onChange={(event) => props.onQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') props.onStep(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape') {
            props.onQuery('');
            event.currentTarget.blur();
          }
        }}
      />
      {search.query !== '' && (
        <>
          <span className={`${styles.matches} num`} role="status" data-testid="log-matches">
            {search.lines.length === 0
              ? search.busy
                ? 'searching …'
                : 'no match'
              : `${search.at < 0 ? '' : `${search.at + 1} of `}${search.lines.length} ${search.lines.length === 1 ? 'line' : 'lines'}`}
          </span>
          <Tool name="Match before   N" icon={IconChevronUp} onClick={() => props.onStep(-1)} />
          <Tool name="Next match   n" icon={IconChevronDown} onClick={() => props.onStep(1)} />
        </>
      )}
      <span className={`${styles.total} num`}>
        {total.toLocaleString('en')} {total === 1 ? 'line' : 'lines'}
        <span className={styles.stateMark} data-state={state}>
          {STATES[state]}
        </span>
      </span>
      <Tool name="Times   s" icon={IconClock} on={props.times} onClick={props.onTimes} />
      <Tool name="Wrap lines   w" icon={IconTextWrap} on={props.wrap} onClick={props.onWrap} />
      <Tool
        name="Full page   f"
        icon={props.full ? IconMinimize : IconMaximize}
        on={props.full}
        onClick={props.onFull}
      />
    </div>
  );
}

function Tool({
  name,
  icon: Shape = IconArrowAutofitHeight,
  on,
  onClick,
}: {
  name: string;
  icon: Icon;
  on?: boolean;
  onClick: () => void;
}) {
  return (
    <Tooltip label={name}>
      <ActionIcon
        aria-label={name.replace(/ {3}.*/, '')}
        {...(on === undefined ? {} : { 'aria-pressed': on })}
        variant={on === true ? 'light' : 'subtle'}
        color={on === true ? 'accent' : 'gray'}
        onClick={onClick}
      >
        <Shape size={16} stroke={1.7} />
      </ActionIcon>
    </Tooltip>
  );
}
