import type { Promotion, PromotionDetail } from '#contracts';
import type { Cell } from '../output/cell.ts';
import type { Column } from '../output/output.ts';

export const promotionColumns: readonly Column<Promotion>[] = [
  { header: 'ID', cell: (row) => row.id },
  { header: 'TO', cell: (row) => row.environment },
  { header: 'STATE', cell: (row) => ({ kind: 'state', state: row.state }) },
  { header: 'KIND', cell: (row) => row.kind },
  { header: 'RELEASE', cell: (row) => row.release.alias },
  { header: 'BY', cell: (row) => row.actor, shrinks: true },
  { header: 'REQUESTED', cell: (row) => ({ kind: 'instant', at: row.requestedAt }) },
  { header: 'WHY', cell: (row) => row.detail, shrinks: true },
  { header: 'DIGEST', cell: (row) => row.release.digest.slice(0, 12), wide: true },
  { header: 'BUILD', cell: (row) => row.buildUrl, wide: true },
];

export const gateColumns: readonly Column<PromotionDetail['gates'][number]>[] = [
  { header: 'GATE', cell: (row) => row.name, shrinks: true },
  { header: 'STATE', cell: (row) => ({ kind: 'state', state: row.state }) },
  { header: 'WHY', cell: (row) => row.detail, shrinks: true },
  { header: 'LOOKED AT', cell: (row) => ({ kind: 'instant', at: row.checkedAt }), wide: true },
];

export function promotionFields(promotion: PromotionDetail): readonly (readonly [string, Cell])[] {
  const { id, environment, kind, state, detail, release, previous, actor, reason, approvals } = promotion;
  const gates = promotion.gates.filter((gate) => ['passed', 'overridden'].includes(gate.state)).length;
  return [
    ['promotion', id],
    ['to', environment],
    ['kind', kind],
    ['release', `${release.alias} (${release.digest.slice(0, 12)})`],
    ['from', previous === null ? null : `${previous.alias} (${previous.digest.slice(0, 12)})`],
    ['state', { kind: 'state', state }],
    ['why', detail],
    ['gates', `${gates} of ${promotion.gates.length} passed`],
    ['approvals', approvals.needed === 0 ? 'none needed' : `${approvals.counted.length} of ${approvals.needed}`],
    ['requested by', actor],
    ['reason', reason],
    ['requested', { kind: 'instant', at: promotion.requestedAt }],
    ['switched', { kind: 'instant', at: promotion.switchedAt }],
    ['ended', { kind: 'instant', at: promotion.finishedAt }],
  ];
}
