import type { PromotionParts } from '#engine';

/**
 * Names each commit of the loop that takes promotions on, to `reached` before and after it: `before switch`, `after move
 * approval`. Tests of crashes die there; nothing else uses it.
 */
export function withDebugPoints(parts: PromotionParts, reached: (point: string) => void): PromotionParts {
  const at = async <T>(what: string, commit: () => Promise<T>): Promise<T> => {
    reached(`before ${what}`);
    const done = await commit();
    reached(`after ${what}`);
    return done;
  };
  const { promotions, store } = parts;
  return {
    ...parts,
    promotions: {
      ...promotions,
      beginPromotions: () => at('begin', () => promotions.beginPromotions()),
      recordGates: (id, gates) =>
        at(`gate ${gates.map(({ kind, state }) => `${kind} ${state}`).join(', ')}`, () =>
          promotions.recordGates(id, gates),
        ),
      notePromotion: (id, detail) => at('note', () => promotions.notePromotion(id, detail)),
      movePromotion: (id, from, to, ...more) => at(`move ${to}`, () => promotions.movePromotion(id, from, to, ...more)),
      switchPromotion: (id, options) => at('switch', () => promotions.switchPromotion(id, options)),
      rollBackPromotion: (...given) => at('roll back', () => promotions.rollBackPromotion(...given)),
    },
    store: {
      ...store,
      createRuns: (runs) => at(`runs ${runs[0]?.trigger ?? ''}`, () => store.createRuns(runs)),
    },
  };
}

/** Kills this process, as a crash would, when it reaches that point. */
export function killAt(point: string): (reached: string) => void {
  return (reached) => {
    if (reached === point) process.kill(process.pid, 'SIGKILL');
  };
}
