import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type PointerEvent } from 'react';
import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { lookOf } from '../parts/state-look.ts';
import { formatDuration, formatInstant } from '../parts/time-format.ts';
import { cellState, type GridData } from './decode-grid.ts';
import { drawCells, drawHead } from './draw-grid.ts';
import { readInks } from './grid-ink.ts';
import { frontier, gridShape, runDurations, type Place } from './grid-shape.ts';
import { GridMarks } from './grid-marks.tsx';
import { GridMirror } from './grid-mirror.tsx';
import styles from './grid.module.css';

interface GridCanvasProps {
  readonly grid: GridData;
  readonly selected: Place | null;
  readonly onSelect: (place: Place) => void;
  readonly onOpen: (place: Place) => void;
  readonly now: number;
}

const LABELS = 190;

/** Runs × tasks on a canvas: one drawing of what is in sight per frame, whatever the number of cells. Screen readers get a mirror. */
export function GridCanvas({ grid, selected, onSelect, onOpen, now }: GridCanvasProps) {
  const scheme = useComputedColorScheme();
  const room = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLCanvasElement>(null);
  const body = useRef<HTMLCanvasElement>(null);
  const [hovered, setHovered] = useState<Place | null>(null);
  const [scroll, setScroll] = useState({ left: 0, top: 0 });
  const width = Math.floor(room.width);
  const shape = useMemo(() => gridShape(grid, width), [grid, width]);
  const inks = useMemo(() => readInks(scheme), [scheme]);
  const durations = useMemo(() => runDurations(grid, now), [grid, now]);
  const total = { width: grid.runs.length * shape.columnWidth, height: grid.tasks.length * shape.rowHeight };
  const height = Math.min(total.height, Math.max(240, window.innerHeight - 400));

  useLayoutEffect(() => {
    const view = { ...scroll, width, height };
    const headContext = sized(head.current, width, shape.headHeight);
    const bodyContext = sized(body.current, width, height);
    if (headContext) drawHead(headContext, grid, shape, view, inks, durations);
    if (bodyContext) drawCells(bodyContext, grid, shape, view, inks);
  }, [grid, shape, inks, durations, scroll, width, height]);

  useFollow(scroller, frontier(grid.runs) * shape.columnWidth, width);
  useKeepInSight(scroller, selected, shape.columnWidth, shape.rowHeight);

  const placeAt = useCallback(
    (event: PointerEvent | React.MouseEvent, inHead: boolean): Place | null => {
      const box = event.currentTarget.getBoundingClientRect();
      const at = scroller.current;
      const run = Math.floor((event.clientX - box.left + (at?.scrollLeft ?? 0)) / shape.columnWidth);
      const task = inHead ? -1 : Math.floor((event.clientY - box.top + (at?.scrollTop ?? 0)) / shape.rowHeight);
      return run >= 0 && run < grid.runs.length && task < grid.tasks.length ? { run, task } : null;
    },
    [grid, shape],
  );
  const pointer = (inHead: boolean) => ({
    onPointerMove: (event: PointerEvent) => {
      const place = placeAt(event, inHead);
      if (place?.run !== hovered?.run || place?.task !== hovered?.task) setHovered(place);
    },
    onPointerLeave: () => setHovered(null),
    onClick: (event: React.MouseEvent) => {
      const place = placeAt(event, inHead);
      if (place !== null) onSelect(place);
    },
    onDoubleClick: (event: React.MouseEvent) => {
      const place = placeAt(event, inHead);
      if (place !== null) onOpen(place);
    },
  });
  const firstRow = Math.floor(scroll.top / shape.rowHeight);
  const rows = grid.tasks.slice(firstRow, Math.ceil((scroll.top + height) / shape.rowHeight) + 1);

  return (
    <div className={styles.frame} data-testid="grid-canvas">
      <div className={styles.corner} style={{ width: LABELS, height: shape.headHeight }}>
        <span>{grid.runs.length} runs</span>
        <span className="dim">longest {formatDuration(Math.max(0, ...durations.map((one) => one ?? 0)))}</span>
      </div>
      <div ref={room.ref} className={styles.head}>
        <canvas ref={head} aria-hidden {...pointer(true)} />
        <GridMarks shape={shape} scroll={{ left: scroll.left, top: 0 }} hovered={hovered} selected={selected} inHead />
      </div>
      <div
        className={styles.labels}
        style={{ width: LABELS, height }}
        onWheel={(event) => scroller.current?.scrollBy(event.deltaX, event.deltaY)}
        aria-hidden
      >
        {rows.map((task, index) => (
          <span
            key={task.id}
            className={styles.label}
            data-on={hovered?.task === firstRow + index || selected?.task === firstRow + index || undefined}
            style={{ top: (firstRow + index) * shape.rowHeight - scroll.top, height: shape.rowHeight }}
            title={task.id}
          >
            <span className="clip">{task.id}</span>
            {task.mapped && <span className={styles.kind}>fan-out</span>}
            {task.final && <span className={styles.kind}>finally</span>}
          </span>
        ))}
      </div>
      <div className={styles.body}>
        <div
          ref={scroller}
          className={styles.scroller}
          style={{ height: height + (total.width > width ? 12 : 0) }}
          onScroll={(event) => setScroll({ left: event.currentTarget.scrollLeft, top: event.currentTarget.scrollTop })}
          {...pointer(false)}
        >
          <div style={total}>
            <canvas ref={body} className={styles.sticky} aria-hidden />
          </div>
        </div>
        <GridMarks shape={shape} scroll={scroll} hovered={hovered} selected={selected} />
      </div>
      <GridMirror grid={grid} place={selected} />
      {hovered !== null && (
        <Hint
          grid={grid}
          place={hovered}
          durations={durations}
          left={LABELS + hovered.run * shape.columnWidth - scroll.left}
          width={LABELS + width}
          top={
            hovered.task < 0 ? shape.headHeight : shape.headHeight + (hovered.task + 1) * shape.rowHeight - scroll.top
          }
        />
      )}
    </div>
  );
}

function Hint({
  grid,
  place,
  durations,
  left,
  top,
  width,
}: {
  grid: GridData;
  place: Place;
  durations: readonly (number | null)[];
  left: number;
  top: number;
  width: number;
}) {
  const run = grid.runs[place.run];
  const task = grid.tasks[place.task];
  if (run === undefined) return null;
  const state = task === undefined ? run.state : cellState(grid, place.run, place.task);
  const ms = durations[place.run] ?? null;
  return (
    <div
      className={styles.hint}
      style={{ top: top + 6, ...(left > width - 240 ? { right: width - left } : { left: left + 8 }) }}
      aria-hidden
    >
      <b>{task?.id ?? 'run'}</b> ·{' '}
      <span style={{ color: `var(--s-${lookOf(state).tone}-fg)` }}>{lookOf(state).label}</span>
      <br />
      {run.intervalStart === null ? run.trigger : formatInstant(run.intervalStart)}
      {task === undefined && ms !== null && ` · ${formatDuration(ms)}`}
    </div>
  );
}

/** Sizes the canvas for the screen's density; null before it is mounted. */
function sized(canvas: HTMLCanvasElement | null, width: number, height: number): CanvasRenderingContext2D | null {
  if (canvas === null || width <= 0) return null;
  const density = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  context?.setTransform(density, 0, 0, density, 0, 0);
  return context;
}

/** Keeps this place at the right edge as runs come; a reader who scrolled elsewhere stays there. */
function useFollow(scroller: React.RefObject<HTMLDivElement | null>, right: number, width: number): void {
  const expected = useRef<number | null>(null);
  useEffect(() => {
    const element = scroller.current;
    if (element === null || width === 0) return;
    if (expected.current !== null && Math.abs(element.scrollLeft - expected.current) > 2) return;
    element.scrollLeft = right - element.clientWidth;
    expected.current = element.scrollLeft;
  }, [scroller, right, width]);
}

function useKeepInSight(
  scroller: React.RefObject<HTMLDivElement | null>,
  place: Place | null,
  columnWidth: number,
  rowHeight: number,
): void {
  useEffect(() => {
    const element = scroller.current;
    if (element === null || place === null) return;
    const x = place.run * columnWidth;
    const y = Math.max(0, place.task) * rowHeight;
    if (x < element.scrollLeft) element.scrollLeft = x;
    if (x + columnWidth > element.scrollLeft + element.clientWidth)
      element.scrollLeft = x + columnWidth - element.clientWidth;
    if (y < element.scrollTop) element.scrollTop = y;
    if (y + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = y + rowHeight - element.clientHeight;
  }, [scroller, place, columnWidth, rowHeight]);
}
