import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Settings } from '../../core/settings.ts';
import type { Application } from '../application.ts';
import { type CommandContext, notify, printJson, printLine } from '../command-context.ts';
import { type ConfiguredOptions, configuredCommand, requireSources, settingsOf } from '../configured-command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { plainTable } from '../plain-table.ts';

const AFTER = `
Works without a daemon, and refuses while the source runs: pause it, or stop its
daemon.`;

export function checkpointCommand(context: CommandContext, done: (exitCode: number) => void): Command {
  return new Command('checkpoint')
    .description('Show, change or carry over the saved position of a source.')
    .helpCommand(false)
    .addCommand(showCommand(context))
    .addCommand(setCommand(context))
    .addCommand(exportCommand(context, done))
    .addCommand(importCommand(context));
}

function showCommand(context: CommandContext): Command {
  return command('show', 'Print the checkpoint of a source; it may run meanwhile.').action(
    async (source: string, options: ConfiguredOptions) => {
      const [application, settings] = await prepare(source, options, context);
      const checkpoint = await application.showCheckpoint(settings, source);
      if (options.json) printJson(context, checkpoint);
      else if (checkpoint === null) notify(context, `${source} has no checkpoint: it has not started yet.`);
      else printLine(context, renderCheckpoint(checkpoint));
    },
  );
}

function setCommand(context: CommandContext): Command {
  return command('set', 'Let the next start of a source go on at a position that its log still has.')
    .argument('<position>', 'as checkpoint show prints it, such as 0/16B3748 or binlog.000012:4567;0')
    .addHelpText('after', AFTER)
    .action(async (source: string, position: string, options: ConfiguredOptions) => {
      const [application, settings] = await prepare(source, options, context);
      const stored = await application.setCheckpoint(settings, source, position);
      if (options.json) printJson(context, { source, position: stored });
      else notify(context, `${source} goes on at ${stored}.`);
    });
}

function exportCommand(context: CommandContext, done: (exitCode: number) => void): Command {
  return command('export', 'Write everything that is stored for a source to a file, for checkpoint import.')
    .argument('[file]', 'where to write it; standard output when missing')
    .addHelpText('after', AFTER)
    .action(async (source: string, file: string | undefined, options: ConfiguredOptions) => {
      const [application, settings] = await prepare(source, options, context);
      const document = await application.exportCheckpoint(settings, source);
      if (document === null) {
        notify(context, `${source} has no checkpoint: it has not started yet.`);
        done(EXIT.failed);
      } else if (file === undefined) context.stdout.write(document);
      else {
        withFile(file, () => writeFileSync(file, document, { mode: 0o640 }));
        if (options.json) printJson(context, { source, file });
        else notify(context, `${source} is exported to ${file}.`);
      }
    });
}

function importCommand(context: CommandContext): Command {
  return command('import', 'Replace everything that is stored for a source by what checkpoint export wrote.')
    .argument('<file>', 'what checkpoint export wrote')
    .addHelpText('after', AFTER)
    .action(async (source: string, file: string, options: ConfiguredOptions) => {
      const [application, settings] = await prepare(source, options, context);
      const text = withFile(file, () => readFileSync(file, 'utf8'));
      await application.importCheckpoint(settings, source, text, file);
      if (options.json) printJson(context, { source, file });
      else notify(context, `${source} goes on where ${file} says.`);
    });
}

function command(name: string, description: string): Command {
  return configuredCommand(name, description).argument('<source>', 'name of the source');
}

async function prepare(
  source: string,
  options: ConfiguredOptions,
  context: CommandContext,
): Promise<readonly [Application, Settings]> {
  const settings = await settingsOf(options, context);
  requireSources(settings, [source]);
  return [await context.loadApplication(), settings];
}

function withFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new UsageError(`${file} cannot be used (${code})`, 'Name a file that this user may read and write.');
  }
}

function renderCheckpoint(checkpoint: object): string {
  return plainTable(
    Object.entries(checkpoint).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
