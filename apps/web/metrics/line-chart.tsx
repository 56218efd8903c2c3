import { useEffect, useMemo, useRef, useState } from 'react';
import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatValue } from '../parts/number-format.ts';
import { timeTicks, valueTicks } from './axis-text.ts';
import styles from './metrics.module.css';

export interface Line {
  readonly label: string;
  readonly ys: readonly (number | null)[];
}

interface LineChartProps {
  readonly xs: readonly number[];
  readonly lines: readonly Line[];
  /** `utc`, `local`: seconds since the epoch, labelled in that zone; `step`: plain numbers. */
  readonly x: 'utc' | 'local' | 'step';
  readonly xName: (index: number) => string;
  readonly markers?: readonly { readonly x: number; readonly text: string }[];
  readonly label: string;
  /** Charts with the same name share the pointer. */
  readonly together?: string;
  readonly onPick?: (index: number) => void;
}

const HEIGHT = 210;
const COLOURS = 8;
/** After eight colours the same ones come again, dashed. */
const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3]];

/** Lines over runs (or steps). The legend shows the values under the pointer, the last ones otherwise; a click picks a run. */
export function LineChart({ xs, lines, x, xName, markers = [], label, together, onPick }: LineChartProps) {
  const scheme = useComputedColorScheme();
  const size = useElementSize();
  const host = useRef<HTMLDivElement>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [at, setAt] = useState<number | null>(null);
  const pick = useRef(onPick);
  useEffect(() => {
    pick.current = onPick;
  });
  const shown = useMemo(() => lines.map((line) => !hidden.has(line.label)), [lines, hidden]);
  const width = Math.floor(size.width);

  useEffect(() => {
    if (host.current === null || width < 50) return;
    const ink = readChartInk(scheme);
    const plot = new uPlot(
      {
        width,
        height: HEIGHT,
        ...(x === 'utc' ? { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC') } : {}),
        scales: { x: { time: x !== 'step' } },
        legend: { show: false },
        cursor: {
          y: false,
          points: { size: 7 },
          ...(together === undefined ? {} : { sync: { key: together } }),
          bind: {
            click: (self) => () => {
              if (self.cursor.idx != null) pick.current?.(self.cursor.idx);
              return null;
            },
          },
        },
        padding: [18, 24, 0, 0],
        axes: [
          {
            ...axis(ink),
            size: x === 'step' ? 28 : 42,
            ...(x === 'step'
              ? {}
              : { space: 70, values: (_self, ticks, _axis, _space, step) => timeTicks(ticks, step, x) }),
          },
          { ...axis(ink), size: 60, values: (_self, ticks, _axis, _space, step) => valueTicks(ticks, step) },
        ],
        series: [
          {},
          ...lines.map((line, index) => ({
            label: line.label,
            stroke: ink.colours[index % COLOURS] ?? ink.text,
            width: 1.75,
            dash: [...(DASHES[Math.floor(index / COLOURS) % DASHES.length] ?? [])],
            spanGaps: true,
            show: shown[index] ?? true,
            points: { size: 4, show: xs.length < 60 },
          })),
        ],
        hooks: {
          setCursor: [(self) => setAt(self.cursor.idx ?? null)],
          draw: [(self) => drawMarkers(self, markers, ink)],
        },
      },
      [[...xs], ...lines.map((line) => [...line.ys])] as uPlot.AlignedData,
      host.current,
    );
    return () => plot.destroy();
  }, [xs, lines, x, markers, scheme, width, shown, together]);

  const index = at ?? xs.length - 1;
  return (
    <div ref={size.ref}>
      <div
        ref={host}
        role="img"
        aria-label={`${label}. ${spoken(lines)}`}
        className={onPick === undefined ? undefined : styles.pickable}
        style={{ height: HEIGHT }}
      />
      <div className={styles.legend}>
        <span className={styles.at}>{xs.length === 0 ? '' : xName(Math.max(0, index))}</span>
        {lines.map((line, number) => {
          const value = at === null ? line.ys.findLast((y) => y !== null) : line.ys[index];
          return (
            <button
              key={line.label}
              type="button"
              aria-pressed={!hidden.has(line.label)}
              onClick={() => setHidden(toggled(hidden, line.label))}
              title={hidden.has(line.label) ? 'Show' : 'Hide'}
            >
              <span
                className={styles.swatch}
                data-dash={Math.floor(number / COLOURS) % DASHES.length}
                style={{ color: `var(--c${(number % COLOURS) + 1})` }}
                aria-hidden
              />
              {line.label}
              <b className="num">{value == null ? '–' : formatValue(value)}</b>
            </button>
          );
        })}
      </div>
    </div>
  );
}

interface ChartInk {
  readonly colours: readonly string[];
  readonly text: string;
  readonly line: string;
  readonly accent: string;
}

function readChartInk(_scheme: 'light' | 'dark'): ChartInk {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    colours: Array.from({ length: COLOURS }, (_, index) => of(`--c${index + 1}`)),
    text: of('--text-3'),
    line: of('--line'),
    accent: of('--accent-fg'),
  };
}

function axis(ink: ChartInk): uPlot.Axis {
  return {
    stroke: ink.text,
    font: "11px 'Inter Variable', sans-serif",
    grid: { stroke: ink.line, width: 1 },
    ticks: { stroke: ink.line, width: 1, size: 4 },
    gap: 4,
  };
}

/** Vertical lines where the release changed, each with the start of its hash. */
function drawMarkers(plot: uPlot, markers: NonNullable<LineChartProps['markers']>, ink: ChartInk): void {
  const { ctx, bbox } = plot;
  const density = window.devicePixelRatio || 1;
  ctx.save();
  ctx.strokeStyle = ink.accent;
  ctx.fillStyle = ink.accent;
  ctx.font = `${10.5 * density}px 'JetBrains Mono Variable', monospace`;
  ctx.textBaseline = 'bottom';
  ctx.textAlign = 'left';
  ctx.lineWidth = density;
  let free = -Infinity;
  for (const { x, text } of markers) {
    const at = Math.round(plot.valToPos(x, 'x', true)) + 0.5;
    ctx.setLineDash([3 * density, 3 * density]);
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    const room = ctx.measureText(text).width + 8 * density;
    if (at < free) continue;
    const left = Math.min(at - 3 * density, bbox.left + bbox.width - room + 12 * density);
    ctx.fillText(text, left, bbox.top - 3 * density);
    free = at + room;
  }
  ctx.restore();
}

function spoken(lines: readonly Line[]): string {
  return lines
    .slice(0, 6)
    .map(({ label, ys }) => {
      const known = ys.filter((y): y is number => y !== null);
      const last = known.at(-1);
      if (last === undefined) return `${label}: no values`;
      return `${label}: last ${formatValue(last)}, from ${formatValue(Math.min(...known))} to ${formatValue(Math.max(...known))}`;
    })
    .join('; ');
}

function toggled(set: ReadonlySet<string>, one: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(one)) next.add(one);
  return next;
}
