import type { GridShape } from './grid-shape.ts';
import styles from './grid.module.css';

/** A column and a row as they are shown; row −1 is above all. */
interface Spot {
  readonly run: number;
  readonly row: number;
}

interface GridMarksProps {
  readonly shape: GridShape;
  readonly scroll: { readonly left: number; readonly top: number };
  readonly hovered: Spot | null;
  readonly selected: Spot | null;
  /** Above the cells: columns only. */
  readonly inHead?: boolean;
}

/** Column and row of the pointer and of the selection, laid over the canvas: moving them draws no cell again. */
export function GridMarks({ shape, scroll, hovered, selected, inHead = false }: GridMarksProps) {
  const column = (spot: Spot) => ({
    width: shape.columnWidth,
    transform: `translateX(${spot.run * shape.columnWidth - scroll.left}px)`,
  });
  const row = (spot: Spot) => ({
    height: shape.rowHeight,
    transform: `translateY(${spot.row * shape.rowHeight - scroll.top}px)`,
  });
  const { cell, columnWidth, rowHeight } = shape;
  return (
    <div className={styles.marks} aria-hidden>
      {hovered !== null && <i className={styles.column} style={column(hovered)} />}
      {hovered !== null && hovered.row >= 0 && !inHead && <i className={styles.row} style={row(hovered)} />}
      {selected !== null && <i className={styles.column} data-selected style={column(selected)} />}
      {selected !== null && selected.row >= 0 && !inHead && (
        <>
          <i className={styles.row} data-selected style={row(selected)} />
          <i
            className={styles.ring}
            style={{
              width: cell + 6,
              height: cell + 6,
              transform: `translate(${selected.run * columnWidth + (columnWidth - cell) / 2 - 3 - scroll.left}px, ${selected.row * rowHeight + (rowHeight - cell) / 2 - 3 - scroll.top}px)`,
            }}
          />
        </>
      )}
    </div>
  );
}
