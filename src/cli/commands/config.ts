import { Command } from 'commander';
import { stringify } from 'yaml';
import { configurationJsonSchema } from '../../config/json-schema.ts';
import { InvalidConfiguration } from '../../config/problem.ts';
import { renderSettings } from '../../config/render-settings.ts';
import { type CommandContext, printJson, printLine } from '../command-context.ts';
import { type ConfiguredOptions, configuredCommand, settingsOf } from '../configured-command.ts';
import { EXIT } from '../exit-code.ts';

export function configCommand(context: CommandContext, done: (exitCode: number) => void): Command {
  return new Command('config')
    .description('Describe, validate or show the configuration.')
    .helpCommand(false)
    .addCommand(
      new Command('schema')
        .description('Print the JSON Schema of the configuration, for editors.')
        .option('--json', 'changes nothing: it is JSON anyway')
        .action(() => printJson(context, configurationJsonSchema())),
    )
    .addCommand(
      configuredCommand('check', 'Validate the configuration without connecting to anything.').action(
        async (options: ConfiguredOptions) => done(await checkConfiguration(options, context)),
      ),
    )
    .addCommand(
      configuredCommand(
        'show',
        'Print the configuration with defaults and variables filled in, secrets hidden.',
      ).action(async (options: ConfiguredOptions) => {
        const shown = renderSettings(await settingsOf(options, context));
        if (options.json) printJson(context, shown);
        else context.stdout.write(stringify(shown));
      }),
    );
}

async function checkConfiguration(options: ConfiguredOptions, context: CommandContext): Promise<number> {
  try {
    const { sources } = await settingsOf(options, context);
    if (options.json) printJson(context, { valid: true, problems: [] });
    else printLine(context, `${options.config} is valid; sources: ${sources.map((source) => source.name).join(', ')}`);
    return EXIT.done;
  } catch (error) {
    if (!options.json || !(error instanceof InvalidConfiguration)) throw error;
    printJson(context, { valid: false, problems: error.problems });
    return EXIT.wrongUse;
  }
}
