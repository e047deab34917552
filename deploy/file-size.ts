import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** No source file is longer; one that grows towards it wants to be two. */
export const MAX_LINES = 500;

/** Source files of `src`, `connectors` and `deploy` below `root` that are too long, each with its lines. */
export function oversizedFiles(root: string): { path: string; lines: number }[] {
  return globSync('{src,connectors,deploy}/**/*.{ts,mjs}', { cwd: root })
    .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES)
    .sort((a, b) => b.lines - a.lines);
}
