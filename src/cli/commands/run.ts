import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type ConfiguredOptions, configuredCommand, requireSources, settingsOf } from '../configured-command.ts';

interface RunCommandOptions extends ConfiguredOptions {
  readonly source?: string[];
  readonly untilCaughtUp?: boolean;
}

const AFTER = `
Ctrl-C or SIGTERM stops gracefully: what was read is published and the position
saved. A second one stops at once, exit code 130. With --until-caught-up the exit
code is 4 where a source has to be resynced.

Examples:
  tailrace run
  tailrace run -c /etc/tailrace.yaml --source shop billing
  tailrace run --until-caught-up --json`;

/** The daemon. Signals are its own affair: the first stops it gracefully, the second at once. */
export function runCommand(context: CommandContext, done: (exitCode: number) => void): Command {
  return configuredCommand('run', 'Tail the sources and publish their changes until stopped.')
    .option('--source <name...>', 'only these sources')
    .option(
      '--until-caught-up',
      'stop once everything committed before the start is published and checkpointed; with --json print a summary',
    )
    .addHelpText('after', AFTER)
    .action(async (options: RunCommandOptions) => {
      const settings = await settingsOf(options, context);
      if (options.source !== undefined) requireSources(settings, options.source);
      const application = await context.loadApplication();
      const sources = options.source === undefined ? {} : { sources: options.source };
      const { untilCaughtUp = false, json = false } = options;
      done(await application.runDaemon(settings, { ...sources, untilCaughtUp, json }, context));
    });
}
