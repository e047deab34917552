import { type Command, Option } from 'commander';
import { parseByteSize } from '../../config/byte-size.ts';
import { exactJson } from '../change-line.ts';
import { type CommandContext, notify, printLine, usesColour } from '../command-context.ts';
import { type ConfiguredOptions, configuredCommand, requireSources, settingsOf } from '../configured-command.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { ProgressLine } from '../progress-line.ts';
import { tablePattern } from '../table-pattern.ts';
import { renderVerifyReport } from '../verify-report.ts';

interface VerifyCommandOptions extends ConfiguredOptions {
  readonly table?: string[];
  readonly tolerate?: 'debezium';
  readonly maxMemory: string;
}

const SMALLEST_MEMORY_BYTES = 16 * 1024 * 1024;

/** Proves that the topics of a source add up to its tables, or names the keys that differ. */
export function verifyCommand(context: CommandContext, done: (exitCode: number) => void): Command {
  return configuredCommand('verify', 'Compare the topics of a source with its tables, key by key.')
    .argument('<source>', 'name of the source')
    .option('--table <pattern...>', 'only tables whose schema.table, or table, matches this regular expression')
    .addOption(
      new Option('--tolerate <writer>', 'do not count the known defects of who filled the topics').choices([
        'debezium',
      ]),
    )
    .option('--max-memory <size>', 'memory for comparing; more keys than fit are compared in parts', '256MiB')
    .addHelpText(
      'after',
      `
Reads only; a daemon may run meanwhile. Exit code 0: every table is equal. 3: a key
differs, or a topic does not hold all that a comparison needs. With --json the keys
are listed, a thousand of each kind at most.

Examples:
  tailrace verify shop
  tailrace verify shop --table orders --json`,
    )
    .action(async (source: string, options: VerifyCommandOptions) => {
      const tables = (options.table ?? []).map(tablePattern);
      const memoryBytes = memoryOf(options.maxMemory);
      const settings = await settingsOf(options, context);
      requireSources(settings, [source]);
      const application = await context.loadApplication();
      const signal = context.interruption();
      const progress = new ProgressLine(context);
      try {
        const report = await application.verifySource(settings, source, {
          tables,
          tolerate: options.tolerate ?? null,
          memoryBytes,
          signal,
          notice: (text) => progress.say(text),
          progress: (at) => progress.show(at),
        });
        progress.clear();
        printLine(context, options.json ? exactJson(report, 2) : renderVerifyReport(report, usesColour(context)));
        done(report.equal ? EXIT.done : EXIT.different);
      } catch (error) {
        progress.clear();
        if (!signal.aborted) throw error;
        // Not 0: nothing is proven.
        notify(context, 'Stopped before everything was compared.');
        done(EXIT.failed);
      }
    });
}

function memoryOf(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes !== null && bytes >= SMALLEST_MEMORY_BYTES) return bytes;
  throw new UsageError(
    `--max-memory ${text} is not a size of at least 16MiB`,
    'Write --max-memory 256MiB, for example.',
  );
}
