import type { TypeModes } from '../../../../connectors/postgres/pg-type.ts';

export const DEFAULT_MODES: TypeModes = {
  decimal: 'precise',
  time: 'adaptive',
  binary: 'bytes',
  interval: 'numeric',
  hstore: 'json',
  unknown: 'skip',
  moneyFractionDigits: 2,
  unavailablePlaceholder: '__debezium_unavailable_value',
};

/** The handling modes of the connectors whose topics are in `test/fixtures/goldens/postgres`. */
export const DEBEZIUM_VARIANTS: Readonly<Record<string, TypeModes>> = {
  pg_default: DEFAULT_MODES,
  pg_string: {
    ...DEFAULT_MODES,
    decimal: 'string',
    time: 'connect',
    binary: 'base64',
    interval: 'string',
    hstore: 'map',
    unknown: 'include',
  },
  pg_double: {
    ...DEFAULT_MODES,
    decimal: 'double',
    time: 'isostring',
    binary: 'hex',
    unavailablePlaceholder: 'TOASTED',
  },
  pg_micro: { ...DEFAULT_MODES, time: 'microseconds', binary: 'base64-url-safe' },
  pg_nano: { ...DEFAULT_MODES, time: 'nanoseconds' },
  pg_atm: { ...DEFAULT_MODES, time: 'adaptive_time_microseconds' },
  pg_structured: { ...DEFAULT_MODES, time: 'structured' },
  pg_props: DEFAULT_MODES,
};
