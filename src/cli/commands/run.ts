import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import {
  type ConfiguredOptions,
  configuredCommand,
  notBuilt,
  requireSources,
  settingsOf,
} from '../configured-command.ts';

interface RunCommandOptions extends ConfiguredOptions {
  readonly source?: string[];
  readonly untilCaughtUp?: boolean;
}

/** The daemon. Signals are its own affair: the first stops it gracefully, the second at once. */
export function runCommand(context: CommandContext, done: (exitCode: number) => void): Command {
  return configuredCommand('run', 'Tail the sources and publish their changes until stopped.')
    .option('--source <name...>', 'only these sources')
    .option('--until-caught-up', 'not built yet: stop once everything committed before the start is checkpointed')
    .action(async (options: RunCommandOptions) => {
      if (options.untilCaughtUp) throw notBuilt('--until-caught-up');
      const settings = await settingsOf(options, context);
      if (options.source !== undefined) requireSources(settings, options.source);
      const application = await context.loadApplication();
      const sources = options.source === undefined ? {} : { sources: options.source };
      done(await application.runDaemon(settings, { ...sources, untilCaughtUp: false }, context));
    });
}
