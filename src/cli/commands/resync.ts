import type { Command } from 'commander';
import type { SourceStatus } from '../../core/source-status.ts';
import { type AdminOptions, adminClient, adminCommand, sourcePath } from '../admin-command.ts';
import { type CommandContext, notify, printJson } from '../command-context.ts';
import { UsageError } from '../exit-code.ts';

interface ResyncOptions extends AdminOptions {
  readonly confirm?: string;
  readonly keepDeleted?: boolean;
}

const AFTER = `
For a source whose position the database no longer has (state resync-required). To
read tables again without losing the position, use tailrace snapshot start.

Example:
  tailrace resync shop --confirm shop`;

/** What changed between the old position and the new one is only made good by a snapshot, hence the confirmation. */
export function resyncCommand(context: CommandContext): Command {
  return adminCommand('resync', 'Discard the position of a source, and start over with a new snapshot.')
    .argument('<source>', 'name of the source')
    .option('--confirm <source>', 'the name of the source again; without it nothing is done')
    .option('--keep-deleted', 'leave rows in the topics that are gone from the tables')
    .addHelpText('after', AFTER)
    .action(async (source: string, options: ResyncOptions) => {
      if (options.confirm !== source) {
        const message =
          'resync discards the position: what is not published yet is only made good by reading all tables';
        throw new UsageError(message, `If you mean it, write: tailrace resync ${source} --confirm ${source}`);
      }
      const client = adminClient(options, context, source);
      const body = { confirm: source, ...(options.keepDeleted === true ? { keep_deleted: true } : {}) };
      const status = await client.request<SourceStatus>('POST', sourcePath(source, '/resync'), body);
      if (options.json) printJson(context, status);
      else notify(context, `${source} starts over; tailrace status shows how it gets on.`);
    });
}
