import { Command } from 'commander';
import { closest } from '../config/closest.ts';
import { loadSettings } from '../config/load.ts';
import type { Settings } from '../core/settings.ts';
import type { CommandContext } from './command-context.ts';
import { UsageError } from './exit-code.ts';

export interface ConfiguredOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** A command with the options that all have: `-c` and `--json`. */
export function configuredCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('-c, --config <file>', 'configuration file', 'tailrace.yaml')
    .option('--json', 'print JSON, for programs');
}

export function settingsOf(options: ConfiguredOptions, context: CommandContext): Promise<Settings> {
  return loadSettings(options.config, context.env, context.connectors);
}

/** @throws UsageError naming the sources that there are. */
export function requireSources(settings: Settings, names: readonly string[]): void {
  const known = settings.sources.map((source) => source.name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const meant = closest(name, known);
    const remedy = meant === null ? `Sources: ${known.join(', ')}.` : `Did you mean ${meant}?`;
    throw new UsageError(`the configuration has no source named ${JSON.stringify(name)}`, remedy);
  }
}
