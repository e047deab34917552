import type { Command } from 'commander';
import type { NamedFinding } from '../application.ts';
import { type CommandContext, printJson, printLine, usesColour } from '../command-context.ts';
import { type ConfiguredOptions, configuredCommand, requireSources, settingsOf } from '../configured-command.ts';
import { EXIT } from '../exit-code.ts';
import { plainTable } from '../plain-table.ts';

const COLOURS = { ok: '32', warning: '33', error: '31' } as const;

const AFTER = `
Prints one finding a line, with what to do about it; a daemon may run meanwhile.
Exit code 3: at least one finding is an error. Warnings alone end with 0.`;

/** Preflight: one finding a line, with what to do about it. */
export function checkCommand(context: CommandContext, done: (exitCode: number) => void): Command {
  return configuredCommand('check', 'Look at databases, privileges, Kafka and the registry without changing them.')
    .option('--source <name...>', 'only these sources')
    .addHelpText('after', AFTER)
    .action(async (options: ConfiguredOptions & { source?: string[] }) => {
      const settings = await settingsOf(options, context);
      if (options.source !== undefined) requireSources(settings, options.source);
      const application = await context.loadApplication();
      const findings = await application.checkAll(
        settings,
        options.source === undefined ? {} : { sources: options.source },
      );
      if (options.json) printJson(context, findings);
      else if (findings.length > 0) printLine(context, renderFindings(findings, usesColour(context)));
      done(findings.some((finding) => finding.severity === 'error') ? EXIT.different : EXIT.done);
    });
}

export function renderFindings(findings: readonly NamedFinding[], colour: boolean): string {
  return plainTable(
    findings.map(({ severity, subject, check, problem, remedy }) => [
      colour ? `\u001b[${COLOURS[severity]}m${severity}\u001b[0m` : severity,
      subject,
      check,
      severity === 'ok' || remedy === '' ? problem : `${sentence(problem)} ${remedy}`,
    ]),
  );
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
