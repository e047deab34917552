import type { ConnectorCatalogue } from '../config/read-source.ts';
import type { Clock } from '../core/clock.ts';
import type { Application, Streams } from './application.ts';

/** What a command may touch of the process it runs in. */
export interface CommandContext extends Streams {
  readonly stdout: Streams['stdout'] & { readonly isTTY?: boolean };
  readonly clock: Pick<Clock, 'sleep'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly connectors: ConnectorCatalogue;
  /** Loaded by the commands that need it: the others start in a tenth of the time. */
  loadApplication(): Promise<Application>;
  /** Aborts at SIGINT or SIGTERM, for commands that run until they are stopped. Listens from the first call on. */
  interruption(): AbortSignal;
}

/** Data on standard output; a command never writes messages there. */
export function printLine(context: CommandContext, text: string): void {
  context.stdout.write(`${text}\n`);
}

/** Messages for people, on standard error. */
export function notify(context: CommandContext, text: string): void {
  context.stderr.write(`${text}\n`);
}

export function printJson(context: CommandContext, value: unknown): void {
  printLine(context, JSON.stringify(value, null, 2));
}

/** Colour is for a terminal whose user has not asked for none (https://no-color.org). */
export function usesColour(context: CommandContext): boolean {
  return context.stdout.isTTY === true && !context.env.NO_COLOR && context.env.TERM !== 'dumb';
}
