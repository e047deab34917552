import type { Command } from 'commander';
import type { SourceStatus } from '../../core/source-status.ts';
import { type AdminOptions, adminClient, adminCommand, sourcePath } from '../admin-command.ts';
import { type CommandContext, notify, printJson } from '../command-context.ts';

export function pauseCommand(context: CommandContext): Command {
  return adminCommand('pause', 'Stop reading a source until it is resumed; what was read is published.')
    .argument('<source>', 'name of the source')
    .action(async (source: string, options: AdminOptions) => {
      const client = adminClient(options, context, source);
      const status = await client.request<SourceStatus>('POST', sourcePath(source, '/pause'));
      if (options.json) printJson(context, status);
      else notify(context, `${source} is ${status.state}.`);
    });
}
