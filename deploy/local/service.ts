import type { ServiceProcess } from './processes.ts';
import type { Report } from './report.ts';

/** What a service gets to start in. */
export interface ServiceContext {
  /** Each service writes under names of its own in here. */
  readonly runDirectory: string;
  /** False for a stack that runs on in the background. */
  readonly endsWithParent: boolean;
  readonly report: Report;
  /** Aborted when the stack is to stop before it was ready. */
  readonly signal: AbortSignal;
}

/** A running service. Its port and data stay the same over `stop` and `start`, until the stack stops. */
export interface Service {
  readonly name: string;
  readonly url: string;
  /** The processes of the last start, for tests that pause or kill them. */
  processes(): readonly ServiceProcess[];
  stop(): Promise<void>;
  /** Starts it again after `stop`, or after its process was killed. Resolves when it is ready. */
  start(): Promise<void>;
}
