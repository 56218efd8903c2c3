import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type PointerEvent } from 'react';
import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { formatDuration } from '../parts/time-format.ts';
import type { GridData } from './decode-grid.ts';
import { drawCells, drawHead } from './draw-grid.ts';
import { readInks } from './grid-ink.ts';
import { GridHint } from './grid-hint.tsx';
import { GridLabels } from './grid-labels.tsx';
import { rowOf, taskAt, type GridRow } from './grid-rows.ts';
import { frontier, gridShape, runDurations, type Place } from './grid-shape.ts';
import { GridMarks } from './grid-marks.tsx';
import { GridMirror } from './grid-mirror.tsx';
import styles from './grid.module.css';

interface GridCanvasProps {
  readonly grid: GridData;
  readonly rows: readonly GridRow[];
  readonly onToggle: (group: string) => void;
  readonly selected: Place | null;
  readonly onSelect: (place: Place) => void;
  readonly onOpen: (place: Place) => void;
  readonly now: number;
}

const LABELS = 190;

/** Runs × tasks on a canvas: one drawing of what is in sight per frame, whatever the number of cells. Screen readers get a mirror. */
export function GridCanvas({ grid, rows, onToggle, selected, onSelect, onOpen, now }: GridCanvasProps) {
  const scheme = useComputedColorScheme();
  const room = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLCanvasElement>(null);
  const body = useRef<HTMLCanvasElement>(null);
  const [hovered, setHovered] = useState<Place | null>(null);
  const [scroll, setScroll] = useState({ left: 0, top: 0 });
  const width = Math.floor(room.width);
  const shape = useMemo(() => gridShape(grid, rows.length, width), [grid, rows, width]);
  const inks = useMemo(() => readInks(scheme), [scheme]);
  const durations = useMemo(() => runDurations(grid, now), [grid, now]);
  const total = { width: grid.runs.length * shape.columnWidth, height: rows.length * shape.rowHeight };
  const height = Math.min(total.height, Math.max(240, window.innerHeight - 400));

  useLayoutEffect(() => {
    const view = { ...scroll, width, height };
    const headContext = sized(head.current, width, shape.headHeight);
    const bodyContext = sized(body.current, width, height);
    if (headContext) drawHead(headContext, grid, shape, view, inks, durations);
    if (bodyContext) drawCells(bodyContext, grid, rows, shape, view, inks);
  }, [grid, rows, shape, inks, durations, scroll, width, height]);

  useFollow(scroller, frontier(grid.runs) * shape.columnWidth, width);
  const spotOf = (place: Place | null) =>
    place === null ? null : { run: place.run, row: place.task < 0 ? -1 : rowOf(rows, place.task) };
  const [hoveredSpot, selectedSpot] = [spotOf(hovered), spotOf(selected)];
  useKeepInSight(scroller, selected?.run ?? null, selectedSpot?.row ?? -1, shape.columnWidth, shape.rowHeight);

  const placeAt = useCallback(
    (event: PointerEvent | React.MouseEvent, inHead: boolean): Place | null => {
      const box = event.currentTarget.getBoundingClientRect();
      const at = scroller.current;
      const run = Math.floor((event.clientX - box.left + (at?.scrollLeft ?? 0)) / shape.columnWidth);
      if (run < 0 || run >= grid.runs.length) return null;
      if (inHead) return { run, task: -1 };
      const row = Math.floor((event.clientY - box.top + (at?.scrollTop ?? 0)) / shape.rowHeight);
      const task = taskAt(grid, rows[row], run);
      return task === null ? null : { run, task };
    },
    [grid, rows, shape],
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
  const inSight = rows.slice(firstRow, Math.ceil((scroll.top + height) / shape.rowHeight) + 1);
  const closedAt = hoveredSpot === null ? undefined : rows[hoveredSpot.row];

  return (
    <div className={styles.frame} data-testid="grid-canvas">
      <div className={styles.corner} style={{ width: LABELS, height: shape.headHeight }}>
        <span>{grid.runs.length} runs</span>
        <span className="dim">longest {formatDuration(Math.max(0, ...durations.map((one) => one ?? 0)))}</span>
      </div>
      <div ref={room.ref} className={styles.head}>
        <canvas ref={head} aria-hidden {...pointer(true)} />
        <GridMarks
          shape={shape}
          scroll={{ left: scroll.left, top: 0 }}
          hovered={hoveredSpot}
          selected={selectedSpot}
          inHead
        />
      </div>
      <div
        className={styles.labels}
        style={{ width: LABELS, height }}
        onWheel={(event) => scroller.current?.scrollBy(event.deltaX, event.deltaY)}
      >
        <GridLabels
          grid={grid}
          rows={inSight}
          first={firstRow}
          shape={shape}
          top={scroll.top}
          isOn={(row) => hoveredSpot?.row === row || selectedSpot?.row === row}
          onToggle={onToggle}
        />
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
        <GridMarks shape={shape} scroll={scroll} hovered={hoveredSpot} selected={selectedSpot} />
      </div>
      <GridMirror grid={grid} rows={rows} place={selected} />
      {hovered !== null && hoveredSpot !== null && (
        <GridHint
          grid={grid}
          place={hovered}
          group={closedAt?.kind === 'group' ? closedAt.group : null}
          durations={durations}
          left={LABELS + hovered.run * shape.columnWidth - scroll.left}
          width={LABELS + width}
          top={
            hoveredSpot.row < 0
              ? shape.headHeight
              : shape.headHeight + (hoveredSpot.row + 1) * shape.rowHeight - scroll.top
          }
        />
      )}
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
  run: number | null,
  row: number,
  columnWidth: number,
  rowHeight: number,
): void {
  useEffect(() => {
    const element = scroller.current;
    if (element === null || run === null) return;
    const x = run * columnWidth;
    const y = Math.max(0, row) * rowHeight;
    if (x < element.scrollLeft) element.scrollLeft = x;
    if (x + columnWidth > element.scrollLeft + element.clientWidth)
      element.scrollLeft = x + columnWidth - element.clientWidth;
    if (y < element.scrollTop) element.scrollTop = y;
    if (y + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = y + rowHeight - element.clientHeight;
  }, [scroller, run, row, columnWidth, rowHeight]);
}
