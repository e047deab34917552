import { ConfigurationError } from '../core/errors.ts';

/** Keys and indexes from the root of the document. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with a configuration, and what to write instead. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  readonly remedy: string;
}

/** A problem where the operator finds it: `line` counts from 1; null when the whole file is meant. */
export interface LocatedProblem {
  readonly path: string;
  readonly line: number | null;
  readonly message: string;
  readonly remedy: string;
}

/** Every problem of a configuration file at once. No message holds a value of the file. */
export class InvalidConfiguration extends ConfigurationError {
  readonly file: string;
  readonly problems: readonly LocatedProblem[];

  constructor(file: string, problems: readonly LocatedProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super([`${file} has ${count}:`, ...problems.map((problem) => `  ${renderProblem(file, problem)}`)].join('\n'), {
      code: 'CONFIGURATION_INVALID',
      remedy: 'Correct the settings named; docs/configuration.md describes each of them.',
    });
    this.file = file;
    this.problems = problems;
  }
}

/** `tailrace.yaml:12: sources[0].slot.name: what is wrong. What to do.` */
export function renderProblem(file: string, problem: LocatedProblem): string {
  const place = problem.line === null ? file : `${file}:${problem.line}`;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return `${place}: ${path}${problem.message}. ${problem.remedy}`.trimEnd();
}

/** `sources[0].debezium."slot.name"`. */
export function renderPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const name = /^[\w-]+$/.test(step) ? step : JSON.stringify(withoutSalt(step));
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}

/** Debezium writes the salt of a hash into the name of the property. */
function withoutSalt(name: string): string {
  return name.replace(/(\.with\.salt\.).+$/, '$1[secret]');
}
