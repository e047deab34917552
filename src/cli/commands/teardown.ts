import type { Command } from 'commander';
import { type CommandContext, notify } from '../command-context.ts';
import { type ConfiguredOptions, configuredCommand, requireSources, settingsOf } from '../configured-command.ts';
import { UsageError } from '../exit-code.ts';

/** Drops what the daemon made on the database. What was not published by then is lost, hence the confirmation. */
export function teardownCommand(context: CommandContext): Command {
  return configuredCommand('teardown', 'Drop the slot and the publication of a source.')
    .argument('<source>', 'name of the source')
    .option('--confirm <source>', 'the name of the source again')
    .action(async (source: string, options: ConfiguredOptions & { confirm?: string }) => {
      if (options.confirm !== source) {
        const message = 'teardown drops the slot, and with it every change that is not published yet';
        throw new UsageError(message, `If you mean it, write: tailrace teardown ${source} --confirm ${source}`);
      }
      const settings = await settingsOf(options, context);
      requireSources(settings, [source]);
      const application = await context.loadApplication();
      await application.teardown(settings, source);
      notify(context, `${source}: slot and publication are dropped. Its checkpoint stays: to run it again, resync it.`);
    });
}
