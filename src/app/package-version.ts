import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** The version of this package, in a checkout and installed. */
export function packageVersion(): string {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined) throw new Error('the package has no package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
