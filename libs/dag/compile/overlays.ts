import type { AlertRule, PipelineOverlay } from '#core';
import type { AlertsShape, OverlayShape } from '../shape/pipeline-shape.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import { valueFaults } from './param-value.ts';
import type { Entries } from './sections.ts';
import { replicasOf } from './replicas.ts';
import { resourcesOf } from './resources.ts';
import { compileSchedule } from './schedule.ts';
import type { Triggered } from './triggers.ts';

/** What differs under `environments:`; a schedule there replaces that of the pipeline whole. */
export function compileOverlays(
  section: Entries<OverlayShape>,
  about: Triggered,
  compiling: Compiling,
): Record<string, PipelineOverlay> {
  const { params, known } = about;
  const overlays: Record<string, PipelineOverlay> = {};
  for (const [environment, shape] of Object.entries(section.entries)) {
    if (shape === null) continue;
    const path = ['environments', environment];
    for (const [name, value] of Object.entries(shape.params ?? {})) {
      const place = [...path, 'params', name];
      const schema = params[name];
      if (!known.has(name))
        compiling.atKey(
          place,
          `There is no parameter ${quote(name)}.`,
          didYouMean(name, known, 'Declare it under `params:`.'),
        );
      else if (schema !== undefined)
        for (const wrong of valueFaults(schema, value))
          compiling.at(place, `params.${name} ${wrong}.`, 'Change the value or the schema.');
    }
    const replicas = shape.replicas === undefined ? null : replicasOf(shape.replicas, [...path, 'replicas'], compiling);
    overlays[environment] = {
      ...(shape.schedule === undefined
        ? {}
        : { schedule: compileSchedule(shape.schedule, [...path, 'schedule'], about, compiling) }),
      ...(shape.paused === undefined ? {} : { paused: shape.paused }),
      ...(shape.params === undefined ? {} : { params: shape.params }),
      ...(shape.pool === undefined ? {} : { pool: shape.pool }),
      ...(shape.resources === undefined ? {} : { resources: resourcesOf(shape.resources) }),
      ...(replicas === null ? {} : { replicas }),
      ...(shape.alerts === undefined ? {} : { alerts: compileAlerts(shape.alerts) }),
    };
  }
  return overlays;
}

export function compileAlerts(shapes: AlertsShape): AlertRule[] {
  return shapes.map(({ on, to }) => ({ on: [...new Set([on].flat())], to: [...new Set([to].flat())] }));
}
