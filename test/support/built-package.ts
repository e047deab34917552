import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { CHECKOUT } from '../../deploy/local/checkout.ts';

/**
 * Compiles the package as it is published, into a directory of the caller's own below `test/output`, and returns its
 * `main.js`. Memory and CPU are measured on this: type stripping alone takes some 30 MiB.
 */
export function builtPackage(name: string): string {
  const directory = join('test', 'output', name);
  execFileSync(process.execPath, [join(CHECKOUT, 'deploy', 'build.ts'), directory], {
    cwd: CHECKOUT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return join(CHECKOUT, directory, 'src', 'cli', 'main.js');
}
