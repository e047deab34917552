import type { ConfigProblem } from './connector.ts';

/** What a schema finds wrong with a connector's settings, in the shape that zod tells it. */
export interface SettingsIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  /** Says what is wrong without the value. */
  readonly message: string;
  /** Names of unknown settings, where that is what is wrong. */
  readonly keys?: readonly string[];
}

/** Problems by their paths. `type` is that of the source. */
export function problemsOf(issues: readonly SettingsIssue[], type: string): ConfigProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String).join('.');
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    return (issue.keys ?? []).map((key) => unknownSetting(path === '' ? key : `${path}.${key}`, type));
  });
}

export function unknownSetting(path: string, type: string): ConfigProblem {
  return { path, message: `is not a setting of a ${type} source; remove it or correct its name` };
}
