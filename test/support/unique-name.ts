import { randomBytes } from 'node:crypto';

/**
 * A name nobody else uses: a valid unquoted Postgres identifier (at most 63 bytes), slot name and Kafka topic prefix.
 * Names of one run sort by time, so that what a killed run left behind is easy to tell.
 */
export function uniqueName(prefix = 'test'): string {
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(prefix)) {
    throw new Error(`prefix "${prefix}" must match [a-z][a-z0-9_]{0,39}`);
  }
  return `${prefix}_${Date.now().toString(36)}_${randomBytes(4).toString('hex')}`;
}
