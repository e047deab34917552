import type { Command } from 'commander';
import { TransientError } from '../../core/errors.ts';
import type { SourceStatus } from '../../core/source-status.ts';
import type { AdminClient } from '../admin-client.ts';
import { type AdminOptions, adminClient, adminCommand } from '../admin-command.ts';
import { type CommandContext, notify, printJson, printLine, usesColour } from '../command-context.ts';
import { renderStatuses } from '../status-table.ts';

const REFRESH_MS = 1_000;
/** Home, and clear to the end of the screen: what was there is written over without flickering. */
const REDRAW = '\u001b[H\u001b[J';

interface StatusOptions extends AdminOptions {
  readonly watch?: boolean;
}

export function statusCommand(context: CommandContext): Command {
  return adminCommand('status', 'Show state, lag, throughput and snapshot of each source of a running daemon.')
    .option('--watch', 'again every second, until interrupted; with --json one line each')
    .action(async (options: StatusOptions) => {
      const client = adminClient(options, context);
      if (options.watch) await watch(client, options, context);
      else if (options.json) printJson(context, await read(client));
      else printLine(context, renderStatuses(await read(client), usesColour(context)));
    });
}

function read(client: AdminClient): Promise<readonly SourceStatus[]> {
  return client.request('GET', '/api/v1/sources');
}

/** A daemon that does not answer at first is an error; one that is restarted meanwhile is waited for. */
async function watch(client: AdminClient, options: StatusOptions, context: CommandContext): Promise<void> {
  const interrupted = context.interruption();
  let statuses = await read(client);
  while (!interrupted.aborted) {
    if (options.json) printLine(context, JSON.stringify(statuses));
    else {
      const clear = context.stdout.isTTY === true ? REDRAW : '';
      printLine(context, `${clear}${renderStatuses(statuses, usesColour(context))}`);
    }
    statuses = (await next(client, context, interrupted)) ?? statuses;
  }
}

/** The next answer; null once interrupted. */
async function next(
  client: AdminClient,
  context: CommandContext,
  interrupted: AbortSignal,
): Promise<readonly SourceStatus[] | null> {
  for (;;) {
    try {
      await context.clock.sleep(REFRESH_MS, interrupted);
    } catch (error) {
      if (interrupted.aborted) return null;
      throw error;
    }
    try {
      return await read(client);
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      notify(context, `${error.message}; waiting for it`);
    }
  }
}
