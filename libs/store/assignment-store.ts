import type { AssignmentStore, PlacementStore, WorkStore } from '#core';
import * as assignments from './queries/assignments.ts';
import * as placements from './queries/placements.ts';
import * as work from './queries/work.ts';
import type { Db } from './statement.ts';

/** Attempts for workers elsewhere, as schedulers see them. */
export function createAssignmentStore(db: Db): AssignmentStore {
  return {
    put: (given) => assignments.putAssignments(db, given),
    cancel: (cancelled) => assignments.cancelAssignments(db, cancelled),
    takeNews: (processId, limit) => assignments.takeNews(db, processId, limit),
    tellAnew: (processId) => assignments.tellAnew(db, processId),
    reap: () => assignments.reapAssignments(db),
    waiting: (limit) => assignments.waitingAssignments(db, limit),
  };
}

/** The same as whoever makes machines for them sees them. */
export function createPlacementStore(db: Db): PlacementStore {
  return {
    unplaced: (limit) => placements.readUnplaced(db, limit),
    open: (attemptIds) => placements.readOpen(db, attemptIds),
    note: (notes) => placements.noteHindrances(db, notes),
    giveUp: (ended) => placements.giveUpAttempts(db, ended),
  };
}

/** The same as workers see them. */
export function createWorkStore(db: Db): WorkStore {
  return {
    signIn: (worker) => work.signIn(db, worker),
    beat: (proof, ttlMs) => work.beat(db, proof, ttlMs),
    claim: (proof, attemptIds, among) => work.claim(db, proof, attemptIds, among),
    take: (proof, queues, minAgeMs, limit) => work.take(db, proof, queues, minAgeMs, limit),
    report: (proof, results) => work.report(db, proof, results),
    signOut: (proof) => work.signOut(db, proof),
  };
}
