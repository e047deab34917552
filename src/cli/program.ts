import { Command, CommanderError } from 'commander';
import { TailraceError } from '../core/errors.ts';
import { type CommandContext, notify } from './command-context.ts';
import { checkCommand } from './commands/check.ts';
import { checkpointCommand } from './commands/checkpoint.ts';
import { configCommand } from './commands/config.ts';
import { helpCommand } from './commands/help.ts';
import { importDebeziumCommand } from './commands/import-debezium.ts';
import { pauseCommand } from './commands/pause.ts';
import { resumeCommand } from './commands/resume.ts';
import { resyncCommand } from './commands/resync.ts';
import { runCommand } from './commands/run.ts';
import { snapshotCommand } from './commands/snapshot.ts';
import { statusCommand } from './commands/status.ts';
import { tailCommand } from './commands/tail.ts';
import { teardownCommand } from './commands/teardown.ts';
import { verifyCommand } from './commands/verify.ts';
import { EXIT, exitCodeOf, UsageError } from './exit-code.ts';

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed
  2    wrong usage or configuration
  3    a check or a comparison found differences
  4    resync required
  130  a second interrupt cut the stop short

Start with:
  tailrace tail postgres://user:password@127.0.0.1:5432/shop
  tailrace config check && tailrace check && tailrace run`;

/** Carries out one command line (without `node` and the script) and resolves with the exit code of the process. */
export async function runProgram(args: readonly string[], version: string, context: CommandContext): Promise<number> {
  let exitCode: number = EXIT.done;
  const done = (code: number) => {
    exitCode = code;
  };
  const program = new Command('tailrace')
    .description('Tails databases and publishes every committed change to Kafka as Debezium-compatible Avro.')
    .version(version)
    .addHelpText('after', EXIT_CODES)
    .addCommand(runCommand(context, done))
    .addCommand(checkCommand(context, done))
    .addCommand(statusCommand(context))
    .addCommand(pauseCommand(context))
    .addCommand(resumeCommand(context))
    .addCommand(snapshotCommand(context))
    .addCommand(resyncCommand(context))
    .addCommand(tailCommand(context))
    .addCommand(verifyCommand(context, done))
    .addCommand(checkpointCommand(context, done))
    .addCommand(configCommand(context, done))
    .addCommand(teardownCommand(context))
    .addCommand(importDebeziumCommand(), { hidden: true })
    .helpCommand(false)
    .addCommand(helpCommand());
  reportThrough(program, context);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    report(error, context);
    return exitCodeOf(error);
  }
}

/** Commander exits and prints by itself unless every command is told otherwise. */
function reportThrough(command: Command, context: CommandContext): void {
  if (command.commands.length > 0) command.usage('<command> [options]');
  command
    .exitOverride()
    .showHelpAfterError(`Usage: ${usageOf(command)}`)
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    });
  for (const below of command.commands) reportThrough(below, context);
}

function usageOf(command: Command): string {
  const names = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return `${names.join(' ')} ${command.usage()}; ${names.join(' ')} --help says more.`;
}

function report(error: unknown, context: CommandContext): void {
  // Commander has said it.
  if (error instanceof CommanderError) return;
  if (error instanceof TailraceError || error instanceof UsageError) {
    notify(context, `error: ${error.message}\n${error.remedy}`);
    return;
  }
  // A fault of the program: whoever reports it needs to know where.
  notify(context, `unexpected error: ${error instanceof Error ? error.stack : String(error)}`);
}
