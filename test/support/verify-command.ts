import assert from 'node:assert/strict';
import type { TableReport, VerifyReport } from '../../src/verify/report.ts';
import { CommandProcess } from './command-process.ts';

export interface Verdict {
  readonly code: number | NodeJS.Signals;
  /** Null where the command did not come to one. */
  readonly report: VerifyReport | null;
  readonly stderr: string;
}

/** Runs `tailrace verify SOURCE --json`. */
export async function verify(configPath: string, source: string, ...more: readonly string[]): Promise<Verdict> {
  await using command = new CommandProcess(['verify', source, '-c', configPath, '--json', ...more]);
  const code = await command.ended(600_000);
  const report = command.stdout === '' ? null : (JSON.parse(command.stdout) as VerifyReport);
  return { code, report, stderr: command.stderr };
}

/** What was found of a table. */
export function tableOf({ report, stderr }: Verdict, name: string): TableReport {
  const found = report?.tables.find(({ table }) => table === name);
  assert.ok(found, `no report of ${name}; the command said: ${stderr}`);
  return found;
}
