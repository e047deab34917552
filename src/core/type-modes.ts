import type { BinaryMode } from './codecs/binary.ts';

/** How values are represented, as configured under `types:` (Debezium's handling modes), in what every database has. */
export interface CommonTypeModes extends BinaryMode {
  readonly decimal: 'precise' | 'double' | 'string';
  readonly time:
    | 'adaptive'
    | 'adaptive_time_microseconds'
    | 'microseconds'
    | 'nanoseconds'
    | 'connect'
    | 'isostring'
    | 'structured';
}
