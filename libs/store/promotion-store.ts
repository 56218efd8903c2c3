import type { DataSource } from 'typeorm';
import type { PromotionStore } from '#core';
import * as holds from './queries/holds.ts';
import * as inputs from './queries/promotion-inputs.ts';
import * as promotions from './queries/promotions.ts';
import { recordedTests } from './queries/release-tests.ts';
import { releaseOf } from './queries/releases.ts';
import { alertsOfPromotion, tellOfPromotion, untoldPromotions } from './queries/tell-of-promotion.ts';
import { rollBackPromotion, switchPromotion } from './queries/switch-promotion.ts';
import { takenBackVersions } from './queries/take-back-versions.ts';

/** Promotions on Postgres: every method is a query function bound to the connection pool. */
export function createPromotionStore(db: DataSource): PromotionStore {
  return {
    createPromotion: (given) => promotions.createPromotion(db, given),
    beginPromotions: () => promotions.beginPromotions(db),
    openPromotions: () => promotions.openPromotions(db),
    promotionCase: (id) => promotions.promotionCase(db, id),
    movePromotion: (id, from, to, detail, actor) => promotions.movePromotion(db, id, from, to, detail, actor),
    notePromotion: (id, detail) => promotions.notePromotion(db, id, detail),
    recordGates: (id, gates) => promotions.recordGates(db, id, gates),
    switchPromotion: (id, options) => switchPromotion(db, id, options),
    rollBackPromotion: (id, to, detail) => rollBackPromotion(db, id, to, detail),
    approvePromotion: (id, approval) => promotions.approvePromotion(db, id, approval),
    untoldPromotions: () => untoldPromotions(db),
    alertsOfPromotion: (id) => alertsOfPromotion(db, id),
    tellOfPromotion: (untold, alerts) => tellOfPromotion(db, untold, alerts),
    unwantedElsewhere: () => promotions.unwantedElsewhere(db),
    awaitInput: (id, waiting) => inputs.awaitInput(db, id, waiting),
    promotionOfInput: async (waiting) => {
      const id = await inputs.promotionIdOfInput(db, waiting);
      return id === null ? null : ((await promotions.promotionCase(db, id))?.promotion ?? null);
    },
    inputsToAnswer: () => inputs.inputsToAnswer(db),
    answerInput: (waiting, answer, alert) => inputs.answerInput(db, waiting, answer, alert),
    takeInputsToLookAt: (everyMs) => inputs.takeInputsToLookAt(db, everyMs),
    isAwaitedElsewhere: (id, waiting) => inputs.isAwaitedElsewhere(db, id, waiting),
    closeInput: (waiting, outcome) => inputs.closeInput(db, waiting, outcome),
    overrideGate: (id, name, reason, actor) => promotions.overrideGate(db, id, name, reason, actor),
    verifiedIn: (release, environments) => promotions.verifiedIn(db, release, environments),
    stand: (environment) => promotions.stand(db, environment),
    verifiedBefore: (environment, current) => promotions.verifiedBefore(db, environment, current),
    lastVerified: (environment, except) => promotions.lastVerified(db, environment, except),
    takenBackVersions: (environment, release) => takenBackVersions(db, environment, release),
    runsInFlight: (environment) => promotions.runsInFlight(db, environment),
    lastSuccess: (environment, pipeline, release) => promotions.lastSuccess(db, environment, pipeline, release),
    newestRun: (environment, pipeline, release) => promotions.newestRun(db, environment, pipeline, release),
    metricsOfTasks: (runId) => promotions.metricsOfTasks(db, runId),
    metricsOfRun: (runId) => promotions.metricsOfRun(db, runId),
    release: (digest) => releaseOf(db, digest),
    recordedTests: (release) => recordedTests(db, release),
    holds: (environment) => holds.holds(db, environment),
    setHold: (environment, release, reason, actor) => holds.setHold(db, environment, release, reason, actor),
    liftHold: (environment, release, actor) => holds.liftHold(db, environment, release, actor),
    freezes: (environment) => holds.freezes(db, environment),
    addFreeze: (freeze) => holds.addFreeze(db, freeze),
    liftFreeze: (environment, id, actor) => holds.liftFreeze(db, environment, id, actor),
  };
}
