import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { GATE_STATES, PROMOTION_STATES } from '#core';
import { aGate, at } from '../fixture/a-promotion.ts';
import { gateLook, gateRest, isBeforeSwitch, promotionLook, soakEnd } from './promotion-look.ts';

test('every state has a tone of the palette, and no two of a kind read alike', () => {
  const tokens = readFileSync(join(import.meta.dirname, '../styles/tokens.css'), 'utf8');
  for (const looks of [PROMOTION_STATES.map(promotionLook), GATE_STATES.map(gateLook)]) {
    for (const { tone } of looks) expect(tokens).toContain(`--s-${tone}`);
    expect(new Set(looks.map(({ label }) => label)).size).toBe(looks.length);
  }
});

test('a gate says beside its title what it is about', () => {
  expect(gateRest({ kind: 'smoke', name: 'smoke flights-*' })).toBe('flights-*');
  expect(gateRest({ kind: 'metric', name: 'metric m: auc > 1' })).toBe('m: auc > 1');
  expect(gateRest({ kind: 'validate', name: 'validate' })).toBe('');
});

test('a soak that is pending knows its end', () => {
  const soak = aGate({ kind: 'soak', name: 'soak', state: 'pending', evidence: { until: at(9) } });
  expect(soakEnd(soak)).toBe(at(9));
  expect([soakEnd({ ...soak, state: 'passed' }), soakEnd({ ...soak, evidence: {} })]).toEqual([null, null]);
});

test('before its switch, and only while it is open, a promotion may be stopped', () => {
  const open = PROMOTION_STATES.filter((state) => isBeforeSwitch({ state, finishedAt: null }));
  expect(open).toContain('window');
  expect(open).not.toContain('verifying');
  expect(isBeforeSwitch({ state: 'rejected', finishedAt: at(9) })).toBe(false);
});
