import { setTimeout as pause } from 'node:timers/promises';
import type { Service } from '../../deploy/local/service.ts';
import { awaitUntil } from '../support/await-until.ts';
import type { SeededRandom } from '../support/workload-random.ts';

/** Of a round of kills. */
const RESTART_CHANCE = 0.25;
const LONGEST_ABSENCE_MS = 3_000;
const END_MS = 60_000;

/** Ends the services that the daemon depends on, gracefully or not, and starts them again; one at a time. */
export class Restarts {
  readonly #services: readonly Service[];
  readonly #random: SeededRandom;
  readonly #progress: (line: string) => void;
  readonly #made = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;

  constructor(services: readonly Service[], random: SeededRandom, progress: (line: string) => void) {
    this.#services = services;
    this.#random = random;
    this.#progress = progress;
  }

  /** How often each service was restarted, by its name. */
  get made(): ReadonlyMap<string, number> {
    return this.#made;
  }

  /** Now and then begins to restart one of them, unless another is not back yet. */
  sometimes(): void {
    // Drawn each time, so that later decisions do not depend on how long a service takes.
    const isDue = this.#random.chance(RESTART_CHANCE);
    const service = this.#random.pick(this.#services);
    const isCrash = this.#random.chance(0.6);
    const awayMs = this.#random.int(0, LONGEST_ABSENCE_MS);
    if (!isDue || this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#restart(service, isCrash, awayMs).then(() => {
      this.#isRunning = false;
    });
    // `settled` tells it.
    this.#running.catch(() => undefined);
  }

  /** Resolves when every service runs; throws what kept one from coming back. */
  settled(): Promise<void> {
    return this.#running;
  }

  async #restart(service: Service, isCrash: boolean, awayMs: number): Promise<void> {
    const signal = signalFor(service, isCrash);
    this.#progress(`${signal} for ${service.name}, away for ${awayMs} ms`);
    const ended = service.processes();
    for (const running of ended) running.signal(signal);
    await awaitUntil(`${service.name} has ended`, () => ended.every((running) => !running.isRunning()), {
      timeoutMs: END_MS,
    });
    await service.stop();
    await pause(awayMs);
    await service.start();
    this.#made.set(service.name, (this.#made.get(service.name) ?? 0) + 1);
  }
}

/** Postgres: SIGINT is its fast shutdown; SIGQUIT its immediate one, after which it recovers as from a crash, while SIGKILL would leave its children behind. */
function signalFor(service: Service, isCrash: boolean): NodeJS.Signals {
  if (service.name.startsWith('postgres')) return isCrash ? 'SIGQUIT' : 'SIGINT';
  return isCrash ? 'SIGKILL' : 'SIGTERM';
}
