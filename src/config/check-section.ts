import type { z } from 'zod';
import { closest } from './closest.ts';
import type { Path, Problem } from './problem.ts';
import { settingNames } from './schema-walk.ts';

/** Reads `value` as `schema` says. Adds what is wrong to `problems`; the result is undefined then. */
export function checkSection<T>(schema: z.ZodType<T>, value: unknown, path: Path, problems: Problem[]): T | undefined {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  for (const issue of result.error.issues) problems.push(...problemsOf(issue, schema, path));
  return undefined;
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType, path: Path): Problem[] {
  const at = [...path, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = settingNames(schema, issue.path);
      return issue.keys.map((key) => unknownSetting([...at, key], known));
    }
    case 'custom':
      return [{ path: at, message: issue.message, remedy: String(issue.params?.remedy ?? '') }];
    case 'invalid_type':
      if (issue.expected === 'array') return [{ path: at, message: issue.message, remedy: 'Set it to a list.' }];
      if (issue.input === undefined) return [{ path: at, message: 'is required', remedy: 'Add this section.' }];
      return [
        {
          path: at,
          message: 'is not a section',
          remedy: 'Write its settings below it as `name: value`, or remove it.',
        },
      ];
    default:
      return [{ path: at, message: issue.message, remedy: 'See docs/configuration.md.' }];
  }
}

export function unknownSetting(path: Path, known: readonly string[]): Problem {
  const name = String(path.at(-1));
  const meant = closest(name, known);
  const remedy = meant === null ? `Known here: ${known.join(', ')}.` : `Did you mean ${meant}?`;
  return { path, message: 'is not a setting', remedy };
}
