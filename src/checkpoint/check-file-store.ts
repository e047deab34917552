import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileError } from './file-error.ts';

/**
 * Whether a file store could keep state in this directory, or make it: nothing is written.
 * @throws ConfigurationError naming the path that is in the way.
 */
export async function checkFileStore(directory: string, source: string): Promise<void> {
  let path = resolve(directory);
  for (;;) {
    try {
      const found = await stat(path);
      if (!found.isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
      await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
      return;
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isMissing || dirname(path) === path) throw fileError(error, `Looking at ${path}`, source);
    }
    path = dirname(path);
  }
}
