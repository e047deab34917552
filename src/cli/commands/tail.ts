import type { Command } from 'commander';
import type { TailOptions } from '../application.ts';
import { changeAsJson, type LiveChange, renderChangeLine } from '../change-line.ts';
import { type CommandContext, notify, printLine, usesColour } from '../command-context.ts';
import { type ConfiguredOptions, configuredCommand, settingsOf } from '../configured-command.ts';
import { UsageError } from '../exit-code.ts';
import { tablePattern } from '../table-pattern.ts';

interface TailCommandOptions extends ConfiguredOptions {
  readonly table?: string[];
}

const AFTER = `
From now on, until interrupted. A database is tailed by its URL alone: it needs no
Kafka and no configuration, and nothing is left behind. With --json one line a change.

Examples:
  tailrace tail postgres://user:password@127.0.0.1:5432/shop --table orders
  tailrace tail shop.public.orders -c tailrace.yaml --json`;

/** Live changes until interrupted: of a database, which needs no configuration, or of a topic. */
export function tailCommand(context: CommandContext): Command {
  return configuredCommand(
    'tail',
    'Print live changes of a database (postgres://…, mysql://…, mariadb://…) or of a topic.',
  )
    .argument('[url|topic]', 'a database URL, or a topic of the Kafka in the configuration')
    .option('--table <pattern...>', 'only tables whose schema.table, or table, matches this regular expression')
    .addHelpText('after', AFTER)
    .action(async (target: string | undefined, options: TailCommandOptions) => {
      if (target === undefined) {
        throw new UsageError('nothing to tail', 'Write tailrace tail URL|TOPIC, and --table after it.');
      }
      const tables = (options.table ?? []).map(tablePattern);
      const isUrl = /^[a-z][a-z0-9+.-]*:/i.test(target);
      if (isUrl && !isDatabase(target)) {
        // The URL is not repeated: it may hold a password.
        throw new UsageError(
          'this kind of URL cannot be tailed',
          'Write postgres://user:password@host:5432/database, mysql://user:password@host:3306 or mariadb://….',
        );
      }
      if (!isUrl && HOST_AND_PORT.test(target)) {
        throw new UsageError(
          `${target} is neither the URL of a database nor a topic`,
          `Write postgres://user:password@${target}/database, mysql://user:password@${target} or mariadb://….`,
        );
      }
      const settings = isUrl ? null : await settingsOf(options, context);
      const application = await context.loadApplication();
      const colour = usesColour(context);
      const emit = (change: LiveChange) =>
        printLine(context, options.json ? changeAsJson(change) : renderChangeLine(change, { colour }));
      const tailOptions: TailOptions = {
        tables,
        signal: context.interruption(),
        notice: (text) => notify(context, text),
      };
      if (settings === null) await application.tailDatabase(target, tailOptions, emit);
      else await application.tailTopic(settings, target, tailOptions, emit);
    });
}

/** No topic has a colon in its name. */
const HOST_AND_PORT = /^[a-z0-9.-]+:\d+$/i;

function isDatabase(target: string): boolean {
  return /^(postgres(ql)?|mysql|mariadb):$/.test(URL.parse(target)?.protocol ?? '');
}
