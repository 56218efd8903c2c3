import type { WaitStore } from '#core';
import type { Db } from './statement.ts';
import * as calls from './queries/calls.ts';
import { pastOf } from './queries/past-runs.ts';
import * as waits from './queries/waits.ts';

export function createWaitStore(db: Db): WaitStore {
  return {
    waitOf: (key) => waits.waitOf(db, key),
    questionsOf: (runId, taskId) => waits.questionsOf(db, runId, taskId),
    takeDueWaits: (kinds, now, limit, leaseMs) => waits.takeDueWaits(db, kinds, now, limit, leaseMs),
    noteLooks: (looks, now) => waits.noteLooks(db, looks, now),
    answerWaits: (answers) => waits.answerWaits(db, answers),
    hastenWaits: (subjects, now) => waits.hastenWaits(db, subjects, now),
    publishedFor: (wanted) => waits.publishedFor(db, wanted),
    runsFor: (wanted) => waits.runsFor(db, wanted),
    lockCaller: (key, rivals) => calls.lockCaller(db, key, rivals),
    noteCalled: (key, calledId) => calls.noteCalled(db, key, calledId),
    pastOf: (wanted) => pastOf(db, wanted),
    calledRuns: (runIds) => calls.calledRuns(db, runIds),
    parkRuns: (processId, runs) => waits.parkRuns(db, processId, runs),
    unparkDue: (now) => waits.unparkDue(db, now),
    unpark: (runIds) => waits.unpark(db, runIds),
  };
}
