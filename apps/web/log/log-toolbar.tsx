import { TextInput } from '@mantine/core';
import {
  IconChevronDown,
  IconChevronUp,
  IconClock,
  IconMaximize,
  IconMinimize,
  IconSearch,
  IconTextWrap,
} from '@tabler/icons-react';
import { IconButton } from '../parts/icon-button.tsx';
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
          <IconButton name="Match before" shortcut="N" onClick={() => props.onStep(-1)}>
            <IconChevronUp size={16} stroke={1.7} />
          </IconButton>
          <IconButton name="Next match" shortcut="n" onClick={() => props.onStep(1)}>
            <IconChevronDown size={16} stroke={1.7} />
          </IconButton>
        </>
      )}
      <span className={`${styles.total} num`}>
        {total.toLocaleString('en')} {total === 1 ? 'line' : 'lines'}
        <span className={styles.stateMark} data-state={state}>
          {STATES[state]}
        </span>
      </span>
      <IconButton name="Times" shortcut="s" pressed={props.times} onClick={props.onTimes}>
        <IconClock size={16} stroke={1.7} />
      </IconButton>
      <IconButton name="Wrap lines" shortcut="w" pressed={props.wrap} onClick={props.onWrap}>
        <IconTextWrap size={16} stroke={1.7} />
      </IconButton>
      <IconButton name="Full page" shortcut="f" pressed={props.full} onClick={props.onFull}>
        {props.full ? <IconMinimize size={16} stroke={1.7} /> : <IconMaximize size={16} stroke={1.7} />}
      </IconButton>
    </div>
  );
}
