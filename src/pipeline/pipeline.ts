import type { Checkpoint } from '../core/checkpoint.ts';
import type { ConnectorConfig, SourceSession } from '../core/connector.ts';
import { ResyncRequiredError } from '../core/errors.ts';
import type { SourceMemory } from '../core/source-memory.ts';
import type { RunObserver, SourceRunner } from '../core/source-runner.ts';
import type { PipelineDependencies } from './pipeline-dependencies.ts';
import { RunningPipeline } from './running-pipeline.ts';
import { isReadFirst, keptOverResync, snapshotAtFirst } from './snapshot/snapshot-due.ts';

/** Runs one source once: from claiming it to the end of its stream. */
export class Pipeline<C extends ConnectorConfig, P> implements SourceRunner {
  readonly #dependencies: PipelineDependencies<C, P>;

  constructor(dependencies: PipelineDependencies<C, P>) {
    this.#dependencies = dependencies;
  }

  async run(observer: RunObserver, stop: AbortSignal, kill: AbortSignal): Promise<void> {
    const { settings, connector, config, openMemory, openSink, logger, metrics, clock } = this.#dependencies;
    const starting = AbortSignal.any([stop, kill]);
    await using session = await connector.open(config, { logger, metrics, clock }, starting);
    await session.claim(starting);
    await using memory = await openMemory(starting);
    if (this.#hasCompleted(memory)) {
      observer.completed?.();
      return;
    }
    const from = await this.#startPosition(session, memory, starting);
    const confirmOwnership = async (signal: AbortSignal) => {
      await session.confirmOwnership(signal);
      await memory.confirm(signal);
    };
    await using sink = await openSink(confirmOwnership, starting);
    await sink.verifyProgress(memory.topics, starting);
    await using stream = await session.stream(from, memory.schemas, starting);
    await using running = new RunningPipeline(this.#dependencies, session, memory, sink, stream, from, observer);
    await running.prepare(starting);
    logger.info({ position: connector.positions.encode(from) }, `streaming ${settings.name}`);
    observer.streaming();
    await running.run(observer, stop, kill);
  }

  /** Of a source that is not to stream everything is done once its tables are read. */
  #hasCompleted({ checkpoint, snapshot }: SourceMemory): boolean {
    const { settings, resync } = this.#dependencies;
    if (settings.snapshot.mode !== 'initial_only' || resync || checkpoint?.phase !== 'streaming') return false;
    const running = snapshot?.running ?? null;
    return running === null || isReadFirst(running);
  }

  async #startPosition(session: SourceSession<P>, memory: SourceMemory, signal: AbortSignal): Promise<P> {
    const { settings, resync } = this.#dependencies;
    if (resync) return this.#initialise(session, memory, signal);
    const verdict = await session.assessResume(memory.checkpoint);
    switch (verdict.kind) {
      case 'resume':
        return verdict.from;
      case 'fresh':
        return this.#initialise(session, memory, signal);
      case 'resync-required': {
        if (settings.snapshot.mode === 'when_needed') return this.#initialise(session, memory, signal);
        const position = memory.checkpoint?.position ?? null;
        throw new ResyncRequiredError(verdict.reason, {
          code: verdict.code,
          remedy: verdict.remedy,
          source: settings.name,
          ...(position === null ? {} : { position }),
        });
      }
    }
  }

  /** The intention is saved before anything is created, so that a crash in between is seen and begun again. */
  async #initialise(session: SourceSession<P>, memory: SourceMemory, signal: AbortSignal): Promise<P> {
    const kept = keptOverResync(this.#dependencies, memory);
    await memory.startOver(this.#checkpoint('initialising', session.serverIdentity, null), kept, signal);
    const from = await session.initialise(memory.schemas, signal);
    const { connector, settings, clock } = this.#dependencies;
    const position = connector.positions.encode(from);
    const snapshot = snapshotAtFirst(settings.snapshot, clock.nowMs(), memory.snapshot);
    await memory.save(this.#checkpoint('streaming', session.serverIdentity, position), null, [], snapshot, signal);
    return from;
  }

  #checkpoint(phase: Checkpoint['phase'], serverIdentity: string, position: string | null): Checkpoint {
    const { settings, clock } = this.#dependencies;
    return { formatVersion: 1, source: settings.name, phase, serverIdentity, position, savedAtMs: clock.nowMs() };
  }
}
