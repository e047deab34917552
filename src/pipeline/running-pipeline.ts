import { type ChangeBatch, ChangeKind } from '../core/change-batch.ts';
import type { ChangeStream, ConnectorConfig, SourceSession } from '../core/connector.ts';
import type { RecordEncoder } from '../core/encoder.ts';
import { OwnershipLostError, TransientError } from '../core/errors.ts';
import type { Sink } from '../core/sink.ts';
import type { SourceMemory } from '../core/source-memory.ts';
import type { RunObserver } from '../core/source-runner.ts';
import { AckTracker } from './ack-tracker.ts';
import { ChangePublisher } from './change-publisher.ts';
import { Checkpointer } from './checkpointer.ts';
import { DeadLetters } from './dead-letters.ts';
import { DeliveryMeter } from './delivery-meter.ts';
import { EventPublisher } from './event-publisher.ts';
import { NotificationPublisher } from './notification-publisher.ts';
import type { PipelineDependencies } from './pipeline-dependencies.ts';
import { contextHeaders } from './record-headers.ts';
import { repeatEvery } from './repeat-every.ts';
import { RowPublisher } from './row-publisher.ts';
import { RunSignals, signalInbox } from './signals/run-signals.ts';
import { openReader } from './snapshot/open-reader.ts';
import { type SnapshotDue, snapshotDue } from './snapshot/snapshot-due.ts';
import { SnapshotNotices } from './snapshot/snapshot-notices.ts';
import { SourceSnapshots } from './snapshot/source-snapshots.ts';
import { tablePlanner } from './table-plan.ts';
import { TablePlans } from './table-plans.ts';
import { topicNames } from './topic-names.ts';

const REPORT_INTERVAL_MS = 1_000;
const HEALTH_INTERVAL_MS = 5_000;
const CAUGHT_UP_AFTER_MS = 100;
/** How often a snapshot looks for its turn while the stream is silent: what it waits for takes a few milliseconds. */
const QUIET_LOOK_MS = 5;
/** How long a graceful stop waits for the end of a transaction that is being published. */
const BOUNDARY_WAIT_MS = 3_000;
/** How long a run that has failed may take to save what Kafka still acknowledges. */
const SETTLE_AFTER_FAILURE_MS = 10_000;

/** The part of a run in which changes flow: from an open stream to its end. */
export class RunningPipeline<C extends ConnectorConfig, P> implements AsyncDisposable {
  readonly #dependencies: PipelineDependencies<C, P>;
  readonly #session: SourceSession<P>;
  readonly #sink: Sink;
  readonly #stream: ChangeStream<P>;
  readonly #tracker: AckTracker<P>;
  readonly #checkpointer: Checkpointer<P>;
  readonly #publisher: ChangePublisher<P>;
  readonly #encoder: RecordEncoder;
  readonly #events: EventPublisher;
  readonly #deadLetters: DeadLetters;
  readonly #meter: DeliveryMeter;
  readonly #snapshots: SourceSnapshots<P>;
  readonly #snapshotDue: SnapshotDue;
  /** Null where nothing brings signals. */
  readonly #signals: RunSignals<P> | null;
  /** Saves a checkpoint before its time has come. */
  #saveNow: () => void = () => {};
  /** Has a look taken at snapshots, while nothing comes from the stream. */
  #wake: () => void = () => {};
  #retainedWalBytes: number | null = null;
  #healthUnknown = false;
  #sourceIsBehind = false;
  #failure: unknown = null;
  /** Sort key of the log's end when the stream was opened. */
  #startHead: string | null = null;
  #reachedStart = false;
  /** Since when the source has sent nothing but heartbeats; null while the loop works on changes. */
  #quietSinceMs: number | null = null;
  readonly #ended = new AbortController();

  constructor(
    dependencies: PipelineDependencies<C, P>,
    session: SourceSession<P>,
    memory: SourceMemory,
    sink: Sink,
    stream: ChangeStream<P>,
    from: P,
    observer: RunObserver,
  ) {
    const { settings, connector, config, createEncoder, runId, clock, metrics, logger } = dependencies;
    this.#dependencies = dependencies;
    this.#session = session;
    this.#sink = sink;
    this.#stream = stream;
    this.#meter = new DeliveryMeter(settings.name, metrics, clock);
    this.#checkpointer = new Checkpointer({
      source: settings.name,
      serverIdentity: session.serverIdentity,
      memory,
      sink,
      positions: connector.positions,
      acknowledge: (position) => stream.acknowledge(position),
      isSettled: () => this.#tracker.isEmpty,
      clock,
    });
    this.#tracker = new AckTracker((batch) => {
      this.#meter.settled(batch);
      if (batch.resumeAt !== null) this.#checkpointer.reached(batch.resumeAt);
      if (batch.snapshot !== null) {
        this.#checkpointer.snapshotReached(batch.snapshot, batch.onSnapshotSaved);
        this.#saveNow();
      }
    });
    const names = topicNames(settings.topicPrefix);
    const encoder = createEncoder(memory, (reason) => observer.waiting(reason));
    const headers = settings.extendedHeaders
      ? contextHeaders(settings.topicPrefix, connector.connectorName, runId)
      : [];
    const { sourceBlock, messageContent } = session;
    this.#encoder = encoder;
    this.#events = new EventPublisher(settings, names, encoder, sink, metrics);
    this.#deadLetters = new DeadLetters(settings, names.deadLetter, sink, metrics);
    const plans = new TablePlans(
      tablePlanner({ settings, names, encoder, sink, sourceBlock, metrics }),
      this.#deadLetters,
    );
    this.#publisher = new ChangePublisher({
      settings,
      encoder,
      plans,
      rows: new RowPublisher(encoder, headers, settings.tombstonesOnDelete),
      events: this.#events,
      deadLetters: this.#deadLetters,
      prepareMessages: (signal) => this.#events.prepareMessages(sourceBlock, messageContent, signal),
      prepareSchemaChanges: (signal) => this.#events.prepareSchemaChanges(sourceBlock, headers, signal),
      nowUs: () => clock.nowUs(),
    });
    const inbox = signalInbox(settings.signals, memory.snapshot);
    this.#snapshots = new SourceSnapshots({
      settings,
      openReader: (signal) => openReader(connector, config, { logger, metrics, clock }, signal),
      stored: memory.snapshot,
      from,
      onRunning: (isRunning) => {
        if (isRunning) observer.snapshotting?.();
        else observer.streaming();
        this.#signals?.act();
        this.#wake();
      },
      createFinder: this.#dependencies.createStaleKeyFinder,
      sourceBlock,
      topicOf: ({ id }) => names.data(id),
      inbox,
      encoder,
      plans,
      rows: new RowPublisher(encoder, headers, settings.tombstonesOnDelete),
      deadLetters: this.#deadLetters,
      sink,
      tracker: this.#tracker,
      clock,
      logger,
      metrics,
      settle: async (signal) => {
        await sink.flush(signal);
        await this.#checkpointer.save(signal);
      },
    });
    this.#snapshotDue = snapshotDue(settings.snapshot.mode, memory.snapshot);
    const { signals } = dependencies;
    this.#signals =
      inbox === null
        ? null
        : new RunSignals({
            ...settings.signals,
            inbox,
            key: settings.topicPrefix,
            snapshots: this.#snapshots,
            compile: signals.compilePattern,
            open: signals.openTopic,
            position: () => this.#checkpointer.savedPosition,
            failed: (error) => this.#fail(error),
            clock,
            logger,
          });
  }

  async prepare(signal: AbortSignal): Promise<void> {
    this.#startHead = this.#dependencies.connector.positions.sortKey(await this.#session.readHead(signal));
    await this.#events.prepare(signal);
    if (this.#dependencies.settings.onPoison === 'dead_letter') await this.#deadLetters.prepare(signal);
    await this.#prepareNotifications(signal);
  }

  /** Resolves after a graceful stop; rejects with the first failure, after saving what was published before it. */
  async run(observer: RunObserver, stop: AbortSignal, kill: AbortSignal): Promise<void> {
    const end = () => this.#end();
    const endAtBoundary = () => this.#endAtBoundary();
    stop.addEventListener('abort', endAtBoundary, { once: true });
    kill.addEventListener('abort', end, { once: true });
    if (stop.aborted || kill.aborted) end();
    const chores = new AbortController();
    const finished = this.#startChores(observer, chores.signal, kill);
    try {
      await this.#beginSnapshots(observer, this.#ended.signal);
      const listening = this.#listen(chores.signal);
      await this.#publishAll(this.#ended.signal);
      chores.abort();
      await listening;
    } finally {
      stop.removeEventListener('abort', endAtBoundary);
      kill.removeEventListener('abort', end);
      chores.abort();
      await this.#silenceIfOvertaken();
      await finished;
    }
    if (kill.aborted) throw kill.reason;
    await this.#settle(kill);
    this.#report(observer);
    if (this.#failure !== null) throw this.#failure;
    if (this.#isCompleted() && !stop.aborted) observer.completed?.();
  }

  /** Ends early, also in the middle of a batch that waits for the registry or for Kafka, once `ended` is aborted. */
  async #publishAll(ended: AbortSignal): Promise<void> {
    const { clock } = this.#dependencies;
    try {
      const batches = this.#stream[Symbol.asyncIterator]();
      while (!ended.aborted) {
        this.#quietSinceMs ??= clock.nowMs();
        const next = await this.#nextBatch(batches, ended);
        if (next.done === true) return;
        if (ended.aborted) {
          next.value.release();
          return;
        }
        if (!isQuiet(next.value)) this.#quietSinceMs = null;
        try {
          await this.#publishBatch(next.value, ended);
        } finally {
          next.value.release();
        }
      }
    } catch (error) {
      if (!ended.aborted) this.#fail(error);
    }
  }

  /** Snapshots go on while the stream has nothing to say. */
  async #nextBatch(
    batches: AsyncIterator<ChangeBatch<P>, void>,
    ended: AbortSignal,
  ): Promise<IteratorResult<ChangeBatch<P>, void>> {
    const next = batches.next();
    // Who leaves early, because a step fails, has its own error to tell.
    next.catch(() => {});
    while (!ended.aborted) {
      await this.#rest(ended);
      if (ended.aborted) break;
      this.#quietSinceMs ??= this.#dependencies.clock.nowMs();
      if (!this.#snapshots.isRunning) {
        const batch = await Promise.race([next, this.#woken()]);
        if (batch === null) continue;
        return batch;
      }
      const isReady = this.#publisher.isAtBoundary && this.#snapshots.wantsStep(this.#isQuiet());
      const passed = () => null;
      const pause = this.#dependencies.clock.sleep(isReady ? 0 : QUIET_LOOK_MS, ended).then(passed, passed);
      const batch = await Promise.race([next, pause]);
      if (batch !== null) return batch;
      if (isReady) await this.#snapshots.step(ended);
    }
    return next;
  }

  /** Snapshots do their steps for as long as the stream has to rest because of one. */
  async #rest(ended: AbortSignal): Promise<void> {
    while (this.#snapshots.holdsStream && this.#publisher.isAtBoundary && !ended.aborted) {
      this.#quietSinceMs = null;
      if (this.#snapshots.wantsStep(false)) await this.#snapshots.step(ended);
      else {
        const passed = () => {};
        await this.#dependencies.clock.sleep(QUIET_LOOK_MS, ended).then(passed, passed);
      }
    }
    if (this.#isCompleted()) this.#end();
  }

  /** Nothing is to be streamed, and everything is read. */
  #isCompleted(): boolean {
    return this.#dependencies.settings.snapshot.mode === 'initial_only' && this.#snapshots.isRead;
  }

  /** Resolves when a snapshot begins, although the stream is silent. */
  #woken(): Promise<null> {
    return new Promise((resolve) => {
      this.#wake = () => resolve(null);
    });
  }

  /** Snapshots do their next step where they ask for a rest. */
  async #publishBatch(batch: ChangeBatch<P>, ended: AbortSignal): Promise<void> {
    let index = 0;
    while (index < batch.count) {
      this.#publisher.watch = (this.#signals ?? this.#snapshots).watch;
      const entry = this.#tracker.open();
      try {
        index = await this.#publisher.publish(batch, index, entry, ended);
        if (this.#publisher.isAtBoundary) this.#signals?.settle(entry);
      } finally {
        entry.ticket.seal();
      }
      if (this.#publisher.isAtBoundary && this.#publisher.stopsAtBoundary) this.#end();
      await this.#sink.ready(ended);
      if (this.#publisher.isAtBoundary && this.#snapshots.wantsStep(false)) await this.#snapshots.step(ended);
      await this.#rest(ended);
    }
  }

  async #beginSnapshots(observer: RunObserver, ended: AbortSignal): Promise<void> {
    try {
      await this.#snapshots.begin(this.#snapshotDue, ended);
      if (this.#isCompleted()) this.#end();
      observer.snapshots?.(this.#snapshots);
      this.#signals?.act();
    } catch (error) {
      if (!ended.aborted) this.#fail(error);
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    try {
      await this.#signals?.listen(signal);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #prepareNotifications(signal: AbortSignal): Promise<void> {
    const { settings, logger, clock } = this.#dependencies;
    if (settings.notifications.topic === null) return;
    const parts = { encoder: this.#encoder, sink: this.#sink, logger };
    const publisher = await NotificationPublisher.prepare(settings.notifications.topic, parts, signal);
    this.#snapshots.notices = new SnapshotNotices(settings.topicPrefix, (notification) => {
      const { ticket } = this.#tracker.open();
      try {
        publisher.publish(notification, clock.nowMs(), ticket);
      } finally {
        ticket.seal();
      }
    });
  }

  /** What was appended before the end is made durable and saved: a restart then repeats as little as possible. */
  async #settle(kill: AbortSignal): Promise<void> {
    if (await this.#silenceIfOvertaken()) return;
    const signal =
      this.#failure === null ? kill : AbortSignal.any([kill, AbortSignal.timeout(SETTLE_AFTER_FAILURE_MS)]);
    try {
      await this.#sink.flush(signal);
      await this.#checkpointer.save(signal);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Another process owns the source now: what is buffered is not sent any more, while the rest is being closed. */
  async #silenceIfOvertaken(): Promise<boolean> {
    if (!(this.#failure instanceof OwnershipLostError)) return false;
    await this.#sink[Symbol.asyncDispose]();
    return true;
  }

  /** Everything that goes on beside the stream. A chore that fails ends the run. */
  async #startChores(observer: RunObserver, signal: AbortSignal, kill: AbortSignal): Promise<void> {
    const { clock, checkpointIntervalMs } = this.#dependencies;
    const guard = (chore: Promise<void>) => chore.catch((error: unknown) => this.#fail(error));
    this.#saveNow = () => void guard(this.#checkpointer.save(kill));
    this.#sink.failure.catch((error: unknown) => {
      if (!signal.aborted) this.#fail(error);
    });
    await Promise.all([
      guard(repeatEvery(checkpointIntervalMs, clock, signal, () => this.#checkpointer.save(kill))),
      guard(
        repeatEvery(REPORT_INTERVAL_MS, clock, signal, async () => {
          observer.touch();
          this.#report(observer);
        }),
      ),
      guard(repeatEvery(HEALTH_INTERVAL_MS, clock, signal, () => this.#readHealth(signal))),
    ]);
  }

  /** A look that fails in passing says nothing about the stream, which notices by itself when its server is away. */
  async #readHealth(signal: AbortSignal): Promise<void> {
    try {
      const { retainedWalBytes, isBehind } = await this.#session.readHealth(signal);
      this.#retainedWalBytes = retainedWalBytes;
      this.#sourceIsBehind = isBehind;
      this.#healthUnknown = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TransientError)) throw error;
      this.#retainedWalBytes = null;
      if (!this.#healthUnknown) this.#dependencies.logger.warn({ error }, 'the health of the source could not be read');
      this.#healthUnknown = true;
    }
  }

  #report(observer: RunObserver): void {
    observer.progress({
      position: this.#checkpointer.savedPosition,
      checkpointedAtMs: this.#checkpointer.savedAtMs,
      publishedCommitUs: this.#meter.publishedCommitUs,
      caughtUp: this.#isCaughtUp(),
      reachedStart: this.#hasReachedStart(),
      changes: this.#meter.changes,
      inFlightBytes: this.#sink.inFlightBytes,
      retainedWalBytes: this.#retainedWalBytes,
    });
  }

  /** What is checkpointed lies behind everything that was committed when the stream was opened. */
  #hasReachedStart(): boolean {
    const { positions } = this.#dependencies.connector;
    const saved = this.#checkpointer.savedPosition;
    if (this.#reachedStart || this.#startHead === null || saved === null) return this.#reachedStart;
    if (this.#snapshots.isRunning) return false;
    this.#reachedStart = positions.sortKey(positions.decode(saved)) >= this.#startHead;
    return this.#reachedStart;
  }

  /** The source has had nothing to say for a while. */
  #isQuiet(): boolean {
    const quietMs = this.#quietSinceMs === null ? 0 : this.#dependencies.clock.nowMs() - this.#quietSinceMs;
    return !this.#sourceIsBehind && quietMs >= CAUGHT_UP_AFTER_MS;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // No signal is acted on any more, and then what was begun is given up.
    const signals = this.#signals?.[Symbol.asyncDispose]();
    await this.#snapshots[Symbol.asyncDispose]();
    await signals;
  }

  /** Nothing is in flight, and the source has had nothing to say for a while: between two batches of a backlog it has. */
  #isCaughtUp(): boolean {
    return this.#tracker.isEmpty && this.#isQuiet();
  }

  /** The first failure is the one that is reported. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#end();
  }

  /**
   * Ends with the transaction that is being published, so that the next start does not repeat its first half. A long one
   * is not waited for.
   */
  #endAtBoundary(): void {
    if (this.#publisher.isAtBoundary) {
      this.#end();
      return;
    }
    this.#publisher.stopsAtBoundary = true;
    this.#dependencies.clock.sleep(BOUNDARY_WAIT_MS, this.#ended.signal).then(
      () => this.#end(),
      // Ended by then.
      () => {},
    );
  }

  #end(): void {
    this.#stream.end();
    this.#ended.abort();
  }
}

/** Other databases of a busy server make heartbeats all the time: they are no news of this source. */
function isQuiet({ kinds, count }: ChangeBatch<unknown>): boolean {
  for (let index = 0; index < count; index += 1) if (kinds[index] !== ChangeKind.heartbeat) return false;
  return true;
}
