import type { Command } from 'commander';
import type { SourceStatus } from '../../core/source-status.ts';
import { type AdminOptions, adminClient, adminCommand, sourcePath } from '../admin-command.ts';
import { type CommandContext, notify, printJson } from '../command-context.ts';

export function resumeCommand(context: CommandContext): Command {
  return adminCommand('resume', 'Start a source again: after a pause, or once what made it fail is mended.')
    .argument('<source>', 'name of the source')
    .action(async (source: string, options: AdminOptions) => {
      const client = adminClient(options, context, source);
      const status = await client.request<SourceStatus>('POST', sourcePath(source, '/resume'));
      if (options.json) printJson(context, status);
      else notify(context, `${source} is ${status.state}.`);
    });
}
