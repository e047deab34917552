import type { Command } from 'commander';
import { type CommandContext, notify, printJson } from '../command-context.ts';
import { type ConfiguredOptions, configuredCommand, requireSources, settingsOf } from '../configured-command.ts';
import { UsageError } from '../exit-code.ts';

const AFTER = `
For a source that is given up. Works without a daemon, and refuses while the source
runs. Topics and the saved position stay. MySQL and MariaDB sources make nothing on
their server.

Example:
  tailrace teardown shop --confirm shop`;

/** Drops what the daemon made on the database. What was not published by then is lost, hence the confirmation. */
export function teardownCommand(context: CommandContext): Command {
  return configuredCommand('teardown', 'Drop what a source made on its database: slot and publication.')
    .argument('<source>', 'name of the source')
    .option('--confirm <source>', 'the name of the source again; without it nothing is done')
    .addHelpText('after', AFTER)
    .action(async (source: string, options: ConfiguredOptions & { confirm?: string }) => {
      if (options.confirm !== source) {
        const message = 'teardown drops the slot, and with it every change that is not published yet';
        throw new UsageError(message, `If you mean it, write: tailrace teardown ${source} --confirm ${source}`);
      }
      const settings = await settingsOf(options, context);
      requireSources(settings, [source]);
      const application = await context.loadApplication();
      await application.teardown(settings, source);
      const hasSlot = settings.sources.some(({ name, type }) => name === source && type === 'postgres');
      if (options.json) printJson(context, { source, dropped: hasSlot });
      else
        notify(context, hasSlot ? dropped(source) : `${source} made nothing on its server: there is nothing to drop.`);
    });
}

function dropped(source: string): string {
  return `${source}: slot and publication are dropped. Its checkpoint stays: to run it again, resync it.`;
}
