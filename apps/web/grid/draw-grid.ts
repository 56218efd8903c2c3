import { shortDigest } from '../parts/digest.ts';
import { lookOf } from '../parts/state-look.ts';
import { cellState, markAt, type GridData } from './decode-grid.ts';
import { drawMark, drawSaid } from './draw-mark.ts';
import { inkOf, type Inks } from './grid-ink.ts';
import { taskAt, type GridRow } from './grid-rows.ts';
import { dateTicks, HEAD, releaseChanges, type GridShape } from './grid-shape.ts';

/** Width of seven characters of a digest. */
const RELEASE_ROOM = 52;

/** What part of the grid is on the screen, in CSS pixels. */
export interface GridView {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Only cells in sight are drawn: the cost does not depend on the number of tasks. */
export function drawCells(
  ctx: CanvasRenderingContext2D,
  grid: GridData,
  rows: readonly GridRow[],
  shape: GridShape,
  view: GridView,
  inks: Inks,
): void {
  const { columnWidth, rowHeight, cell } = shape;
  ctx.clearRect(0, 0, view.width, view.height);
  ctx.save();
  ctx.translate(-view.left, -view.top);
  const lastRow = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight));
  const [firstRun, lastRun] = runsInView(grid, shape, view);
  const padX = (columnWidth - cell) / 2;
  const padY = (rowHeight - cell) / 2;
  for (let index = Math.floor(view.top / rowHeight); index < lastRow; index++) {
    const row = rows[index];
    if (row !== undefined && row.group !== null) {
      ctx.fillStyle = inks.band;
      ctx.fillRect(view.left, index * rowHeight, view.width, rowHeight);
    }
    for (let run = firstRun; run < lastRun; run++) {
      const task = taskAt(grid, row, run);
      if (task === null) break;
      const look = lookOf(cellState(grid, run, task));
      const [x, y] = [run * columnWidth + padX, index * rowHeight + padY];
      drawMark(ctx, look, inkOf(inks, look.tone), inks.paper, x, y, cell);
      const said = markAt(grid, run, task);
      if (said !== null) drawSaid(ctx, said.as, inkOf(inks, lookOf(said.as).tone), inks.paper, x + cell, y, cell);
    }
  }
  releaseLines(ctx, grid, shape, inks, view.top, view.height);
  ctx.restore();
}

/** The row above: one bar per run (height is duration), dates below, releases above. */
export function drawHead(
  ctx: CanvasRenderingContext2D,
  grid: GridData,
  shape: GridShape,
  view: GridView,
  inks: Inks,
  durations: readonly (number | null)[],
): void {
  const { columnWidth, cell } = shape;
  ctx.clearRect(0, 0, view.width, shape.headHeight);
  ctx.save();
  ctx.translate(-view.left, 0);
  const base = HEAD.releases + HEAD.bars;
  const longest = Math.max(1, ...durations.map((one) => one ?? 0));
  const [firstRun, lastRun] = runsInView(grid, shape, view);
  for (let index = firstRun; index < lastRun; index++) {
    const run = grid.runs[index];
    if (run === undefined) continue;
    const look = lookOf(run.state);
    const ink = inkOf(inks, look.tone);
    const ms = durations[index] ?? null;
    const height = ms === null ? 6 : Math.max(6, Math.sqrt(ms / longest) * (HEAD.bars - 8));
    const width = Math.min(cell, 14);
    const x = index * columnWidth + (columnWidth - width) / 2;
    ctx.beginPath();
    if (run.finishedAt === null) {
      ctx.roundRect(x + 0.75, base - height + 0.75, width - 1.5, height - 1.5, 2.5);
      ctx.fillStyle = ink.tint;
      ctx.fill();
      ctx.strokeStyle = ink.solid;
      ctx.lineWidth = 1.5;
      ctx.stroke();
    } else {
      ctx.roundRect(x, base - height, width, height, 2.5);
      ctx.fillStyle = ink.solid;
      ctx.fill();
    }
    if (look.mark === 'cross' || look.mark === 'clock' || look.mark === 'slash')
      badge(ctx, x + width / 2, base - height - 5, ink.strong);
    const said = markAt(grid, index, -1);
    if (said !== null)
      drawSaid(ctx, said.as, inkOf(inks, lookOf(said.as).tone), inks.paper, x + width + 4, base - height, 14);
  }
  ctx.font = `11px ${inks.font}`;
  ctx.textBaseline = 'middle';
  ctx.fillStyle = inks.faint;
  for (const tick of dateTicks(grid.runs, columnWidth)) {
    ctx.fillText(tick.text, tick.index * columnWidth + 2, base + HEAD.dates / 2 + 1);
    ctx.fillRect(tick.index * columnWidth + columnWidth / 2 - 0.5, base + 1, 1, 3);
  }
  releaseLines(ctx, grid, shape, inks, HEAD.releases - 4, shape.headHeight);
  ctx.font = `10.5px ${inks.mono}`;
  ctx.fillStyle = inks.accent;
  let free = -Infinity;
  for (const index of releaseChanges(grid.runs)) {
    const x = index * columnWidth;
    if (x < free) continue;
    const atEnd = x + RELEASE_ROOM > grid.runs.length * columnWidth;
    ctx.textAlign = atEnd ? 'right' : 'left';
    ctx.fillText(shortDigest(grid.runs[index]?.release ?? '').slice(0, 7), atEnd ? x - 2 : x + 1, HEAD.releases / 2);
    free = x + RELEASE_ROOM;
  }
  ctx.restore();
}

function runsInView(grid: GridData, shape: GridShape, view: GridView): [number, number] {
  return [
    Math.max(0, Math.floor(view.left / shape.columnWidth)),
    Math.min(grid.runs.length, Math.ceil((view.left + view.width) / shape.columnWidth)),
  ];
}

function releaseLines(
  ctx: CanvasRenderingContext2D,
  grid: GridData,
  shape: GridShape,
  inks: Inks,
  top: number,
  height: number,
): void {
  ctx.strokeStyle = inks.accent;
  ctx.globalAlpha = 0.55;
  ctx.lineWidth = 1;
  ctx.setLineDash([2, 3]);
  ctx.beginPath();
  for (const index of releaseChanges(grid.runs)) {
    const x = Math.round(index * shape.columnWidth) + 0.5;
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
  }
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/** A small cross over the bar of a run that did not end well. */
function badge(ctx: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5;
  ctx.lineCap = 'round';
  ctx.beginPath();
  ctx.moveTo(x - 2.2, y - 2.2);
  ctx.lineTo(x + 2.2, y + 2.2);
  ctx.moveTo(x + 2.2, y - 2.2);
  ctx.lineTo(x - 2.2, y + 2.2);
  ctx.stroke();
}
