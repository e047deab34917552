import type { Finding } from './connector.ts';
import { TailraceError } from './errors.ts';

/** What one check says. */
export type Verdict = Pick<Finding, 'severity' | 'problem' | 'remedy'>;

/** Pure: the facts were read before. */
export type Check<F, C> = (facts: F, config: C) => Verdict;

export const FINE: Verdict = { severity: 'ok', problem: '', remedy: '' };

export function error(problem: string, remedy: string): Verdict {
  return { severity: 'error', problem, remedy };
}

export function warning(problem: string, remedy: string): Verdict {
  return { severity: 'warning', problem, remedy };
}

export function runAll<F, C>(checks: Readonly<Record<string, Check<F, C>>>, facts: F, config: C): Finding[] {
  return Object.entries(checks).map(([check, verdict]) => ({ check, ...verdict(facts, config) }));
}

/** The findings of `look`. A server that cannot be asked is a finding too. */
export async function findingsOf(look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return [{ check: 'connection', ...FINE }, ...(await look())];
  } catch (failure) {
    if (!(failure instanceof TailraceError)) throw failure;
    return [{ check: 'connection', ...error(failure.message, failure.remedy) }];
  }
}

/** The first names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
