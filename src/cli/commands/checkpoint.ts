import { Command } from 'commander';
import { type CommandContext, notify, printJson, printLine } from '../command-context.ts';
import {
  type ConfiguredOptions,
  configuredCommand,
  notBuilt,
  requireSources,
  settingsOf,
} from '../configured-command.ts';
import { plainTable } from '../plain-table.ts';

const LATER = ['set', 'export', 'import'];

export function checkpointCommand(context: CommandContext): Command {
  const command = new Command('checkpoint').description('The saved position of a source.').addCommand(
    configuredCommand('show', 'Print the checkpoint of a source.')
      .argument('<source>', 'name of the source')
      .action(async (source: string, options: ConfiguredOptions) => {
        const settings = await settingsOf(options, context);
        requireSources(settings, [source]);
        const application = await context.loadApplication();
        const checkpoint = await application.showCheckpoint(settings, source);
        if (options.json) printJson(context, checkpoint);
        else if (checkpoint === null) notify(context, `${source} has no checkpoint: it has not started yet.`);
        else printLine(context, renderCheckpoint(checkpoint));
      }),
  );
  for (const name of LATER) {
    const later = configuredCommand(name, 'Not built yet.')
      .argument('<source>')
      .allowUnknownOption()
      .allowExcessArguments();
    command.addCommand(
      later.action(() => {
        throw notBuilt(`checkpoint ${name}`);
      }),
    );
  }
  return command;
}

function renderCheckpoint(checkpoint: object): string {
  return plainTable(
    Object.entries(checkpoint).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
