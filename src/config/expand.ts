import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Path, Problem } from './problem.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative file names start from: the configuration's own. */
  readonly directory: string;
}

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is how a configuration names a variable. */
const UNCLOSED = { message: 'has a ${ without its }', remedy: 'Close it, or write $${ for the text itself.' };
const UNKNOWN_FORM = {
  message: 'has a reference that is none of the forms known',
  remedy: 'Write ${NAME}, ${NAME:-default} or ${file:/path}; $${ is the text itself.',
};
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above. */

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `${file:/run/secrets/name}` in every text of a parsed document; `$$` is a
 * dollar sign. What a variable holds is taken as it is: it is neither expanded again nor read as YAML.
 */
export function expand(document: unknown, around: Surroundings): { value: unknown; problems: Problem[] } {
  const problems: Problem[] = [];
  return { value: expandValue(document, [], around, problems), problems };
}

function expandValue(value: unknown, path: Path, around: Surroundings, problems: Problem[]): unknown {
  if (typeof value === 'string') return expandText(value, path, around, problems);
  if (Array.isArray(value)) return value.map((item, index) => expandValue(item, [...path, index], around, problems));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, expandValue(item, [...path, name], around, problems)]),
  );
}

function expandText(text: string, path: Path, around: Surroundings, problems: Problem[]): string {
  return text.replace(/\$\$|\$\{([^}]*)(\}?)/g, (found, reference: string | undefined, end: string) => {
    if (reference === undefined) return '$';
    if (end === '') {
      problems.push({ path, ...UNCLOSED });
      return found;
    }
    if (reference.startsWith('file:')) return readSecretFile(reference.slice('file:'.length), path, around, problems);
    return readVariable(reference, path, around, problems);
  });
}

function readVariable(reference: string, path: Path, around: Surroundings, problems: Problem[]): string {
  const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/.exec(reference) ?? [];
  if (name === undefined || fallback?.includes('${')) {
    problems.push({ path, ...UNKNOWN_FORM });
    return '';
  }
  const value = Object.hasOwn(around.env, name) ? around.env[name] : undefined;
  // As in a shell, `:-` stands in for an empty variable too.
  if (fallback !== undefined && (value === undefined || value === '')) return fallback;
  if (value === undefined) {
    const remedy = `Set ${name}, or give a default: \${${name}:-default}.`;
    problems.push({ path, message: `names the environment variable ${name}, which is not set`, remedy });
    return '';
  }
  return value;
}

function readSecretFile(file: string, path: Path, around: Surroundings, problems: Problem[]): string {
  try {
    // Editors and `kubectl create secret --from-file` leave a line end that nobody means.
    return readFileSync(resolve(around.directory, file), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const message = `names the file ${JSON.stringify(file)}, which cannot be read (${code})`;
    problems.push({ path, message, remedy: 'Create it, or correct its name and its permissions.' });
    return '';
  }
}
