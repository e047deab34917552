import { statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whether any other user may enter `path` and every directory above it. */
export function isOpenToOthers(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
