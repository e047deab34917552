import type { StoredVersion } from './schema-store.ts';

/**
 * Whether a version is to be stored. The store is in log order and says each thing once: after an operator set the position
 * back, to before what it still knows, versions of that stretch are used without being stored.
 */
export function isNewVersion(version: StoredVersion, stored: readonly StoredVersion[]): boolean {
  const newest = stored.at(-1);
  if (newest === undefined) return true;
  if (newest.since > version.since) return false;
  return newest.layout !== version.layout || newest.resolved !== version.resolved;
}

/** The version of this layout in force at `point`. */
export function versionAt(stored: readonly StoredVersion[], layout: string, point: string): StoredVersion | null {
  return stored.findLast((version) => version.layout === layout && version.since <= point) ?? null;
}
