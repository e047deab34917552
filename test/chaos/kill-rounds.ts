import { setTimeout as pause } from 'node:timers/promises';
import type { Service } from '../../deploy/local/service.ts';
import type { Daemon } from '../support/daemon-process.ts';
import type { Verdict } from '../support/oracle.ts';
import type { SeededRandom } from '../support/workload-random.ts';
import type { Restarts } from './restarts.ts';

export interface ChaosOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly checkpoint: 'kafka' | 'file';
  readonly transactionMetadata: boolean;
  /** Services that are restarted meanwhile; none unless told. */
  readonly restarted?: readonly Service[];
  /** Told what happens, a line at a time. */
  readonly progress?: (line: string) => void;
  /** Told every record that is read in the end, a line each. */
  readonly trace?: (line: string) => void;
}

export interface ChaosResult extends Verdict {
  readonly rounds: number;
  readonly transactions: number;
  readonly rollbacks: number;
  readonly schemaChanges: number;
  readonly killedWhileStarting: number;
  /** How often each service was restarted. */
  readonly restarts: ReadonlyMap<string, number>;
  /** Exit code of the graceful stop at the end. */
  readonly exitCode: number | NodeJS.Signals;
}

const STARTS_KILLED_FIRST = 4;
/** Sometimes the log runs ahead for a while: then the catalog is schema changes later than the log. */
const LONGEST_ABSENCE_MS = 6_000;
export const STREAMING_MS = 60_000;

/** What writes while the daemon is killed. */
interface Load {
  throwIfFailed(): void;
}

/** Kills the daemon at random moments and starts it again, mostly at once. @returns how often it was still starting. */
export async function killRounds(
  daemon: Daemon,
  load: Load,
  random: SeededRandom,
  restarts: Restarts | null,
  { rounds, progress }: Pick<ChaosOptions, 'rounds' | 'progress'>,
): Promise<number> {
  let killedWhileStarting = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const moment = await killSomewhere(daemon, random);
    if (moment.state !== 'streaming') killedWhileStarting += 1;
    load.throwIfFailed();
    throwIfGivenUp(daemon);
    const awayMs = random.chance(0.1) ? random.int(500, LONGEST_ABSENCE_MS) : 0;
    const absence = awayMs === 0 ? '' : `, away for ${awayMs} ms`;
    progress?.(`round ${round}/${rounds}: killed while ${moment.state}, after ${moment.ms} ms${absence}`);
    await pause(awayMs);
    daemon.start();
    restarts?.sometimes();
  }
  await restarts?.settled();
  return killedWhileStarting;
}

/** Nothing is written yet: what happens before there is a position is not captured, and that is no loss. */
export async function killWhileInitialising(daemon: Daemon, random: SeededRandom): Promise<void> {
  for (let start = 0; start < STARTS_KILLED_FIRST; start += 1) {
    daemon.start();
    await pause(random.int(200, 1_300));
    await daemon.kill();
  }
}

/** The moment is chosen by the seed: soon after the start of the process, or some time after the stream is open. */
async function killSomewhere(daemon: Daemon, random: SeededRandom): Promise<{ state: string; ms: number }> {
  const early = random.chance(0.4);
  const ms = early ? random.int(50, 2_000) : random.int(0, 1_500);
  if (early) {
    const streamsBefore = countStreams(daemon);
    await pause(ms);
    const streams = countStreams(daemon) > streamsBefore;
    await daemon.kill();
    return { state: streams ? 'streaming' : 'starting', ms };
  }
  await daemon.streaming(STREAMING_MS);
  await pause(ms);
  await daemon.kill();
  return { state: 'streaming', ms };
}

function countStreams(daemon: Daemon): number {
  return daemon.output.split('the stream is open').length;
}

/** A state that only an operator can end is a failure here. */
export function throwIfGivenUp(daemon: Daemon): void {
  const line = daemon.output.split('\n').find((each) => /"(to|next|state)":"(failed|resync-required)"/.test(each));
  if (line !== undefined) throw new Error(`the source gave up: ${line}`);
}
