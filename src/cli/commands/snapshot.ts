import { Command } from 'commander';
import { patternSource } from '../../config/pattern.ts';
import type { SnapshotStatus } from '../../core/snapshot-status.ts';
import { type AdminOptions, adminClient, adminCommand, sourcePath } from '../admin-command.ts';
import { type CommandContext, notify, printJson, printLine } from '../command-context.ts';
import { UsageError } from '../exit-code.ts';
import { renderSnapshot } from '../status-table.ts';
import { tablePattern } from '../table-pattern.ts';

interface StartOptions extends AdminOptions {
  readonly table?: string[];
  readonly where?: string;
  readonly blocking?: boolean;
}

const EXAMPLES = `
Examples:
  tailrace snapshot start shop
  tailrace snapshot start shop --table orders 'public\\.item.*'
  tailrace snapshot start shop --table orders --where "region = 'EU'"`;

/** Ad-hoc snapshots of a source that streams. */
export function snapshotCommand(context: CommandContext): Command {
  return new Command('snapshot')
    .description('Read tables of a running source again while it streams.')
    .helpCommand(false)
    .addCommand(
      command('start', 'Begin to read tables of a source again; returns at once.')
        .option('--table <pattern...>', 'only tables whose schema.table, or table, matches this regular expression')
        .option('--where <sql>', 'only rows for which this condition holds, on each of the tables')
        .option('--blocking', 'let the stream rest until the rows are out')
        .addHelpText('after', EXAMPLES)
        .action(async (source: string, options: StartOptions) => {
          if (options.where?.trim() === '') {
            throw new UsageError('--where is empty', 'Write --where "region = \'EU\'", or leave it out for all rows.');
          }
          const tables = options.table?.map((text) => patternSource(tablePattern(text))) ?? null;
          const body = { tables, where: options.where ?? null, blocking: options.blocking ?? false };
          const client = adminClient(options, context, source);
          show(await client.request('POST', sourcePath(source, '/snapshots'), body), source, options, context);
        }),
    )
    .addCommand(
      command('status', 'Show the snapshot that is under way, or the last one.').action(
        async (source: string, options: AdminOptions) => {
          const client = adminClient(options, context, source);
          show(await client.request('GET', sourcePath(source, '/snapshots')), source, options, context);
        },
      ),
    )
    .addCommand(
      operation(
        context,
        'pause',
        'Let the snapshot rest, also over restarts; the stream goes on.',
        'POST',
        '/snapshots/pause',
      ),
    )
    .addCommand(operation(context, 'resume', 'Let a paused snapshot go on.', 'POST', '/snapshots/resume'))
    .addCommand(operation(context, 'stop', 'End the snapshot; what it published stays.', 'DELETE', '/snapshots'));
}

function command(name: string, description: string): Command {
  return adminCommand(name, description).argument('<source>', 'name of the source');
}

function operation(
  context: CommandContext,
  name: string,
  description: string,
  method: 'POST' | 'DELETE',
  path: string,
): Command {
  return command(name, description).action(async (source: string, options: AdminOptions) => {
    const client = adminClient(options, context, source);
    show(await client.request(method, sourcePath(source, path)), source, options, context);
  });
}

function show(snapshot: SnapshotStatus | null, source: string, options: AdminOptions, context: CommandContext): void {
  if (options.json) printJson(context, snapshot);
  else if (snapshot === null) notify(context, `${source} has taken no snapshot since its daemon started.`);
  else printLine(context, renderSnapshot(snapshot));
}
