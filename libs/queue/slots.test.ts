import { describe, expect, test } from '@jest/globals';
import { Slots } from './slots.ts';

describe('slots of a worker', () => {
  test('are given in the order of asking, and no more than there are', async () => {
    const slots = new Slots(1);
    await slots.take();
    const got: string[] = [];
    const waiting = ['first', 'second'].map((name) => slots.take().then(() => got.push(name)));
    await Promise.resolve();
    expect([slots.free, got]).toEqual([0, []]);
    slots.give(60_000);
    await waiting[0];
    expect(got).toEqual(['first']);
    slots.give(60_000);
    await waiting[1];
    expect(got).toEqual(['first', 'second']);
  });

  test('are taken by an attempt with replicas for each of them, and given back together', () => {
    const slots = new Slots(4);
    slots.force(3);
    expect(slots.free).toBe(1);
    slots.force(3);
    expect(slots.free).toBe(0);
    slots.give(60_000, 3);
    expect(slots.free).toBe(1);
  });

  test('are twice as many while attempts are short, and not when one was given back unused', () => {
    const slots = new Slots(4);
    slots.force();
    slots.give(null);
    expect(slots.free).toBe(4);
    slots.force();
    slots.give(20);
    expect(slots.free).toBe(8);
    for (let attempt = 0; attempt < 20; attempt++) {
      slots.force();
      slots.give(5000);
    }
    expect(slots.free).toBe(4);
  });
});
