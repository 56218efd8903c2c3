import type { EngineStore } from '#core';
import { createBackfillStore } from './backfill-store.ts';
import * as alerts from './queries/alerts.ts';
import { applyBatch } from './queries/apply-batch.ts';
import { appendAudit } from './queries/audit.ts';
import * as cached from './queries/cached-results.ts';
import { earlierRows } from './queries/checks.ts';
import * as failing from './queries/failing.ts';
import { fireRuns } from './queries/fire-runs.ts';
import { dueWork } from './queries/glance.ts';
import { addMarks, lockRun, marksOf } from './queries/marks.ts';
import * as paths from './queries/paths.ts';
import * as processes from './queries/processes.ts';
import { recordMetrics } from './queries/record-metrics.ts';
import * as releases from './queries/releases.ts';
import * as runs from './queries/runs.ts';
import * as schedules from './queries/schedules.ts';
import { sweep } from './queries/sweep.ts';
import * as triggers from './queries/triggers.ts';
import { inTransaction, type Db } from './statement.ts';
import { createWaitStore } from './wait-store.ts';

/** The engine's store on Postgres: every method is a query function bound to the connection pool, or to one transaction. */
export function createStore(db: Db): EngineStore {
  return {
    ...createWaitStore(db),
    ...createBackfillStore(db),
    endedFires: (environment, pipeline, limit) => failing.endedFires(db, environment, pipeline, limit),
    pauseBecause: (environment, pipeline, reason) => failing.pauseBecause(db, environment, pipeline, reason),
    lockRun: (runId) => lockRun(db, runId),
    addMarks: (marks) => addMarks(db, marks),
    marksOf: (runIds) => marksOf(db, runIds),
    heartbeat: (process) => processes.heartbeat(db, process),
    retireHost: (host) => processes.retireHost(db, host),
    retire: (processId) => processes.retire(db, processId),
    activateRuns: (limit) => runs.activateRuns(db, limit),
    claimRuns: (processId, limit, again) => runs.claimRuns(db, processId, limit, again),
    leasedRuns: (processId, runIds) => runs.leasedRuns(db, processId, runIds),
    loadTaskRuns: (runIds) => runs.loadTaskRuns(db, runIds),
    fenceAttempts: (attemptIds) => runs.fenceAttempts(db, attemptIds),
    apply: (batch) => applyBatch(db, batch),
    audited: (work, entries) =>
      inTransaction(db, async (manager) => {
        const done = await work(createStore(manager));
        // Last: other entries wait from here until the commit.
        await appendAudit(manager, entries(done));
        return done;
      }),
    createRuns: (created) => runs.createRuns(db, created),
    getRun: (runId) => runs.getRun(db, runId),
    send: (commands) => runs.send(db, commands),
    receive: (runIds) => runs.receive(db, runIds),
    forgetCommands: (ids) => runs.forgetCommands(db, ids),
    endQueued: (runIds, state, reason) => runs.endQueued(db, runIds, state, reason),
    activeRuns: (environment) => runs.activeRuns(db, environment),
    runsOfIntervals: (environment, pipeline, from, to) => runs.runsOfIntervals(db, environment, pipeline, from, to),
    liveRuns: (environment, names) => runs.liveRuns(db, environment, names),
    syncSchedules: (environment, given) => schedules.syncSchedules(db, environment, given),
    schedules: (environment, names) => schedules.readSchedules(db, environment, names),
    fireRuns: (environment, created, handled) => fireRuns(db, environment, created, handled),
    setPaused: (environment, pipeline, paused) => schedules.setPaused(db, environment, pipeline, paused),
    versionsOfRuns: (environment, pipeline, path, runIds) =>
      paths.versionsOfRuns(db, environment, pipeline, path, runIds),
    versionsBetween: (environment, pipeline, path, from, to) =>
      paths.versionsBetween(db, environment, pipeline, path, from, to),
    newestVersions: (environment, pipeline, path, before) =>
      paths.newestVersions(db, environment, pipeline, path, before),
    cachedResults: (environment, pipeline, taskId, keys) =>
      cached.cachedResults(db, environment, pipeline, taskId, keys),
    earlierCache: (environment, pipeline, taskId, intervalStart) =>
      cached.earlierCache(db, environment, pipeline, taskId, intervalStart),
    earlierRows: (about, count) => earlierRows(db, about, count),
    erasedTaskRuns: (runId) => paths.erasedTaskRuns(db, runId),
    earlierInputs: (origin, runId, taskId, mapIndex) => paths.earlierInputs(db, origin, runId, taskId, mapIndex),
    baseline: (environment, pipeline, taskId, runId) => paths.baseline(db, environment, pipeline, taskId, runId),
    unprojected: (limit) => paths.unprojected(db, limit),
    markProjected: (items) => paths.markProjected(db, items),
    currentRelease: (environment) => releases.currentRelease(db, environment),
    pointAt: (environment, release, seq, actor) => releases.pointAt(db, environment, release, seq, actor),
    applyEnvironment: (environment, hash, content, actor, pools) =>
      releases.applyEnvironment(db, environment, hash, content, actor, pools),
    takeAlerts: (limit) => alerts.takeAlerts(db, limit),
    recordAlert: (id, result) => alerts.recordAlert(db, id, result),
    insertAlerts: (inserted) => alerts.insertAlerts(db, inserted),
    recordMetrics: (runId, points) => recordMetrics(db, runId, points),
    dueWork: (process, now, environments) => dueWork(db, process, now, environments),
    lateRuns: (limit) => runs.lateRuns(db, limit),
    raiseLate: (runIds, given) => alerts.raiseLate(db, runIds, given),
    mendedRun: (environment, pipeline, runId) => alerts.mendedRun(db, environment, pipeline, runId),
    sweep: () => sweep(db),
    syncListeners: (environment, listeners) => triggers.syncListeners(db, environment, listeners),
    unasked: (limit) => triggers.unasked(db, limit),
    lockSchedule: (environment, pipeline) => triggers.lockSchedule(db, environment, pipeline),
    unseen: (environment, pipeline) => triggers.readUnseen(db, environment, pipeline),
    newestPublications: (environment, datasets) => triggers.newestPublications(db, environment, datasets),
    settleUnseen: (environment, pipeline, read, forget) =>
      triggers.settleUnseen(db, environment, pipeline, read, forget),
    depthOf: (environment, runId) => triggers.depthOf(db, environment, runId),
    receiveEvent: (event) => triggers.receiveEvent(db, event),
    receivedEvent: (environment, name, key) => triggers.receivedEvent(db, environment, name, key),
  };
}
