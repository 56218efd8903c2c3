import type { CompiledPipeline, EngineStore, EventTrigger, ReceivedEvent, StartedBy, StartedRun } from '#core';
import { otherInstallation, SluiceError } from '#core';
import { didYouMean, renderParams, withOverlay } from '#dag';
import type { AlertDefaults } from './route-alerts.ts';
import { planStarts, type Start } from './plan-triggered.ts';
import type { AppliedEnvironment, Environments, Pipelines } from './ports.ts';
import { cancelRuns, isPausedByFile, tellOfLoops } from './start-triggered.ts';

export interface IncomingEvent {
  readonly environment: string;
  readonly name: string;
  /** The sender's: what was sent before with this key is the same event. */
  readonly key: string;
  readonly payload: unknown;
  /** SHA-256 of the payload as it came. */
  readonly bodyHash: string;
  readonly actor: string;
  /** The run whose task sent it; null: it came from outside. */
  readonly sender?: string | null;
  /** Throws `unauthorized` unless the sender knows this secret of the environment. */
  readonly prove: (secret: string) => Promise<void>;
}

/** What came of an event: also of one that was sent before. */
export interface EventOutcome {
  readonly event: ReceivedEvent;
  readonly isRepeated: boolean;
  /** Runs that it started; skipped ones say why. */
  readonly runs: readonly StartedRun[];
}

interface Listening {
  readonly pipeline: CompiledPipeline;
  readonly trigger: EventTrigger;
}

/** Starts what waits for events from outside. */
export class Events {
  constructor(
    private readonly parts: {
      readonly store: EngineStore;
      readonly pipelines: Pipelines;
      readonly environments: Environments;
      readonly now: () => Date;
      readonly onChange: () => void;
      readonly alertDefaults: AlertDefaults;
    },
  ) {}

  /**
   * Notes the event and creates its runs in one transaction: whoever got no answer sends it again with the same key.
   * Throws `not_found` when nothing waits for it, `conflict` when the key was used with another payload.
   */
  async receive(incoming: IncomingEvent): Promise<EventOutcome> {
    const { store, onChange } = this.parts;
    const { environment, release, listening } = await this.listeners(incoming);
    const secrets = new Set(listening.flatMap(({ trigger }) => trigger.secret ?? []));
    for (const secret of secrets) await incoming.prove(secret);
    const isNew = await store.audited(
      (tx) => this.start(tx, incoming, environment, release, listening),
      () => [],
    );
    if (isNew) onChange();
    const found = await store.receivedEvent(incoming.environment, incoming.name, incoming.key);
    if (!found) throw new SluiceError('internal', `event ${incoming.name} was not noted`);
    if (found.event.bodyHash !== incoming.bodyHash)
      throw new SluiceError('conflict', `The key ${JSON.stringify(incoming.key)} was used with another payload.`, {
        hint: 'Give each event a key of its own; repeat one with exactly the same body.',
      });
    return { ...found, isRepeated: !isNew };
  }

  private async listeners({ environment: name, name: event }: IncomingEvent): Promise<{
    environment: AppliedEnvironment;
    release: string;
    listening: readonly Listening[];
  }> {
    const { environments, store, pipelines } = this.parts;
    const environment = environments.get(name);
    const elsewhere = environment && otherInstallation(environment.config.promotion);
    const pointer = environment && !elsewhere ? await store.currentRelease(name) : null;
    const all = pointer ? (await pipelines.all(pointer.release)).map((pipeline) => withOverlay(pipeline, name)) : [];
    const known = new Set(all.flatMap(({ schedule }) => Object.keys(schedule.triggers?.events ?? {})));
    if (!environment || !pointer || !known.has(event))
      throw new SluiceError('not_found', `No pipeline in "${name}" waits for the event "${event}".`, {
        hint: elsewhere
          ? `${name} is an environment of ${elsewhere.url}: send it there.`
          : didYouMean(event, known, 'Name it under `schedule: { events: … }`.'),
      });
    const listening = all.flatMap((pipeline) => {
      const events = pipeline.schedule.triggers?.events ?? {};
      const trigger = Object.hasOwn(events, event) ? events[event] : undefined;
      return trigger ? [{ pipeline, trigger }] : [];
    });
    return { environment, release: pointer.release, listening };
  }

  /** False: the key was used before. */
  private async start(
    store: EngineStore,
    incoming: IncomingEvent,
    environment: AppliedEnvironment,
    release: string,
    listening: readonly Listening[],
  ): Promise<boolean> {
    const id = await store.receiveEvent(incoming);
    if (id === null) return false;
    const startedBy = { ...(await senderOf(store, incoming)), event: id };
    for (const { pipeline, trigger } of listening) {
      const record = await store.lockSchedule(incoming.environment, pipeline.name);
      const paused = record?.paused === true || isPausedByFile(pipeline, environment);
      const start = { ...startOf(incoming, id, trigger, environment, paused), startedBy };
      const live = await store.liveRuns(incoming.environment, [pipeline.name]);
      const now = this.parts.now();
      const { runs, cancelled } = planStarts([start], { pipeline, environment, release, live, now });
      await cancelRuns(store, cancelled);
      const ids = await store.createRuns(runs);
      await tellOfLoops(this.parts, store, { pipeline, environment }, runs, ids);
    }
    return true;
  }
}

/** One more than the run whose task sent it, so that runs which start each other through events come to an end too. */
async function senderOf(
  store: EngineStore,
  { sender = null, environment }: IncomingEvent,
): Promise<Pick<StartedBy, 'runs' | 'depth'>> {
  if (sender === null) return { runs: [], depth: 1 };
  const depth = await store.depthOf(environment, sender);
  if (depth === null)
    throw new SluiceError(
      'bad_request',
      `The event says that it is sent by run ${sender}, which ${environment} does not have.`,
      { hint: 'Send `sluice-run` only from a task of this environment, with its SLUICE_RUN_ID.' },
    );
  return { runs: [{ runId: sender, path: null }], depth: depth + 1 };
}

function startOf(
  { name, key, payload, actor }: IncomingEvent,
  id: string,
  trigger: EventTrigger,
  environment: AppliedEnvironment,
  paused: boolean,
): Omit<Start, 'startedBy'> {
  const params = renderParams(trigger.params, payload, environment.config);
  const refusal = paused ? 'the pipeline was paused when the event came' : params.ok ? null : params.message;
  return {
    trigger: 'event',
    triggerKey: `event ${id}`,
    why: `Event ${name} from ${actor}, with the key ${key}.`,
    interval: null,
    params: params.ok ? params.value : {},
    refusal,
  };
}
