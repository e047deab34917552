import assert from 'node:assert/strict';
import type { RunRequest, SourceRunner } from '../../../src/core/source-runner.ts';
import { PrometheusMetrics } from '../../../src/observability/prometheus-metrics.ts';
import type { BackoffSettings } from '../../../src/supervisor/backoff.ts';
import { SourceSupervisor } from '../../../src/supervisor/source-supervisor.ts';
import { parseExposition } from '../../support/exposition.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { FakeRunner, type FakeRunnerHabits } from './fake-runner.ts';
import { RecordingLogger } from './recording-logger.ts';

export const BACKOFF: BackoffSettings = {
  baseMs: 1_000,
  capMs: 8_000,
  healthyAfterMs: 60_000,
  openAfterFailures: 5,
  openPauseMs: 100_000,
};

/** One supervised source with fakes around it. Its pauses are half of their bounds. */
export class Supervised {
  readonly clock = new FakeClock();
  readonly logger = new RecordingLogger();
  readonly metrics = new PrometheusMetrics({ sources: ['shop'], processMetrics: false });
  readonly runners: FakeRunner[] = [];
  /** What each attempt was asked for. */
  readonly requests: RunRequest[] = [];
  readonly source: SourceSupervisor;
  habits: FakeRunnerHabits = {};

  constructor(createRunner?: () => SourceRunner) {
    const makeFake = (request: RunRequest): SourceRunner => {
      this.requests.push(request);
      const runner = new FakeRunner(this.habits);
      this.runners.push(runner);
      return runner;
    };
    this.source = new SourceSupervisor(
      { name: 'shop', type: 'postgres', createRunner: createRunner ?? makeFake },
      { clock: this.clock, logger: this.logger, metrics: this.metrics, backoff: BACKOFF, random: () => 0.5 },
    );
  }

  get runner(): FakeRunner {
    const runner = this.runners.at(-1);
    assert.ok(runner, 'no runner was made');
    return runner;
  }

  get state(): string {
    return this.source.status().state;
  }

  /** The runner ends with `error`, and what follows from that happens. */
  async fail(error: unknown): Promise<void> {
    this.runner.fail(error);
    await settle();
  }

  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
    return parseExposition((await this.metrics.render()).body).value(name, { source: 'shop', ...labels });
  }
}
