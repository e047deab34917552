export interface SourceColumn {
  readonly name: string;
  /** As `format_type` writes it, domains resolved. */
  readonly type: string;
  /** Type of the elements of an array, else null. */
  readonly element: string | null;
}

/** The `types` of a source. */
export interface TypeModes {
  readonly decimal: 'precise' | 'double' | 'string';
  readonly time: 'adaptive' | 'isostring' | 'connect';
  readonly binary: 'bytes' | 'hex' | 'base64';
  readonly interval: 'numeric' | 'string';
  readonly hstore: 'json' | 'map';
}

const DAY_US = 86_400_000_000n;
/** A month of an interval in numeric mode: 365.25 / 12 days. */
const MONTH_US = 2_629_800_000_000n;

/**
 * SQL that is true where the decoded value in `v` (jsonb of a record's `after`) stands for what the column holds. The value
 * is turned back into the column's type by Postgres' own input functions and arithmetic.
 */
export function sqlJudge({ name, type, element }: SourceColumn, modes: TypeModes): string {
  const column = `"${name}"`;
  const wire = `(v->>'${name}')`;
  const json = `(v->'${name}')`;
  if (element !== null) {
    const item = backFor(element, modes, `(item #>> '{}')`, 'item');
    const theirs = `ARRAY(SELECT ${textOf(element, item)} FROM jsonb_array_elements(${json}) WITH ORDINALITY q(item, o) ORDER BY o)`;
    const ours = `ARRAY(SELECT ${textOf(element, reduced(element, modes, 'u'))} FROM unnest(${column}) u)`;
    return `CASE WHEN jsonb_typeof(${json}) = 'array' THEN ${column} IS NOT NULL AND ${theirs} = ${ours} ELSE ${column} IS NULL END`;
  }
  const equal = `${textOf(type, backFor(type, modes, wire, json))} = ${textOf(type, reduced(type, modes, column))}`;
  return `CASE WHEN jsonb_typeof(${json}) = 'null' THEN ${column} IS NULL
    WHEN ${unrepresentable(type, modes, column)} THEN ${column} IS NOT NULL ELSE ${equal} END`;
}

/** Values that the mode has a sentinel, a saturated number or another notation for: other tests have them. */
function unrepresentable(type: string, modes: TypeModes, column: string): string {
  if (/^time\b/.test(type)) return `${column}::text LIKE '24:00%'`;
  if (type === 'interval' && modes.interval === 'numeric') return `abs(extract(year FROM ${column})) > 290000`;
  if (/^(date$|timestamp)/.test(type)) return `${column} < '0001-01-01' OR ${column} >= '10000-01-01'`;
  return 'false';
}

/** SQL of the column's type from the wire's text (or JSON, where it is a struct). */
function backFor(type: string, modes: TypeModes, wire: string, json: string): string {
  const number = `${wire}::numeric`;
  if (/^(numeric|money)/.test(type)) return modes.decimal === 'double' ? `${wire}::float8` : number;
  if (type === 'real' || type === 'double precision') return `${wire}::float8::${type}`;
  if (type === 'bytea') return modes.binary === 'bytes' ? `${wire}::bytea` : `decode(${wire}, '${modes.binary}')`;
  if (type === 'date' && modes.time !== 'isostring') return `date '1970-01-01' + ${wire}::int`;
  if (isPlainTime(type) && modes.time !== 'isostring') return `time '00:00' + ${number} * ${unit(type, modes)}`;
  if (isPlainTimestamp(type) && modes.time !== 'isostring') return timestampOf(`(${number} * ${scale(type, modes)})`);
  if (/^time.* with time zone$/.test(type) && !type.startsWith('timestamp')) return `timezone('UTC', ${wire}::timetz)`;
  if (type === 'interval' || /^interval/.test(type)) return modes.interval === 'string' ? `${wire}::interval` : number;
  if (type === 'bit(1)') return `CASE ${wire}::boolean WHEN true THEN B'1' ELSE B'0' END`;
  if (/^bit/.test(type)) return `${wire}::bytea`;
  if (type === 'hstore') return modes.hstore === 'map' ? `nullif(${json}, 'null')` : `${wire}::jsonb`;
  const points = `(${json}->>'coordinates')`;
  switch (type) {
    case 'point':
      return `CASE WHEN ${points}::point ~= point((${json}->>'x')::float8, (${json}->>'y')::float8) THEN ${points}::point END`;
    case 'line':
      return `format('{%s,%s,%s}', ${json}->>'a', ${json}->>'b', ${json}->>'c')::line`;
    case 'lseg':
      return `('[' || ${points} || ']')::lseg`;
    case 'box':
      return `box(('(' || ${points} || ')')::polygon)`;
    case 'path':
      return `CASE ${json}->'extensions'->>'closed' WHEN 'true' THEN ('(' || ${points} || ')')::path ELSE ('[' || ${points} || ']')::path END`;
    case 'polygon':
      return `('(' || ${points} || ')')::polygon`;
    case 'circle':
      return `circle((${json}->'center'->>'coordinates')::point, (${json}->>'radius')::float8)`;
  }
  return `${wire}::${type}`;
}

/** What the mode can say of the column's value. */
function reduced(type: string, modes: TypeModes, column: string): string {
  if (/^(numeric|money)/.test(type))
    return modes.decimal === 'double' ? `${column}::numeric::float8` : `${column}::numeric`;
  if (/^time.* with time zone$/.test(type) && !type.startsWith('timestamp')) return `timezone('UTC', ${column})`;
  if (isPlainTime(type))
    return modes.time === 'connect' ? `date_trunc('milliseconds', ${column}::interval)::time` : column;
  if (isPlainTimestamp(type) && modes.time === 'connect') return `date_trunc('milliseconds', ${column})`;
  if (/^interval/.test(type) && modes.interval === 'numeric') {
    return `((extract(year FROM ${column}) * 12 + extract(month FROM ${column})) * ${MONTH_US} + extract(day FROM ${column}) * ${DAY_US}
      + extract(hour FROM ${column}) * 3600000000 + extract(minute FROM ${column}) * 60000000 + extract(microseconds FROM ${column}))`;
  }
  if (/^bit/.test(type) && type !== 'bit(1)') return bitSet(column);
  if (type === 'hstore') return `hstore_to_jsonb(${column})`;
  return column;
}

/** Text for a comparison: types such as json and point have no equality of their own. */
function textOf(type: string, value: string): string {
  if (/^(numeric|money)/.test(type)) return value;
  if (/^interval/.test(type)) return `(${value})`;
  // A cast keeps an XML declaration that Postgres' output leaves out.
  if (type === 'xml') return `format('%s', ${value})`;
  return `(${value})::text`;
}

/** Java's BitSet: the last bit first, eight to a byte from its lowest, without zero bytes at the end. */
function bitSet(column: string): string {
  const bits = `reverse(${column}::text)`;
  const byte = `lpad(to_hex(reverse(rpad(substr(${bits}, i * 8 + 1, 8), 8, '0'))::bit(8)::int), 2, '0')`;
  const hex = `(SELECT string_agg(${byte}, '' ORDER BY i) FROM generate_series(0, (length(${column}) - 1) / 8) i)`;
  return `decode(regexp_replace(coalesce(${hex}, ''), '(00)+$', ''), 'hex')`;
}

function isPlainTime(type: string): boolean {
  return /^time(\(\d\))? without time zone$/.test(type);
}

function isPlainTimestamp(type: string): boolean {
  return /^timestamp(\(\d\))? without time zone$/.test(type);
}

/** Microseconds in one unit of the wire. */
function scale(type: string, modes: TypeModes): number {
  const digits = Number(/\((\d)\)/.exec(type)?.[1] ?? 6);
  return modes.time === 'connect' || digits <= 3 ? 1_000 : 1;
}

function unit(type: string, modes: TypeModes): string {
  return `interval '${scale(type, modes)} microseconds'`;
}

/** Exact: an interval of many microseconds would be computed in floating point. */
function timestampOf(microseconds: string): string {
  const days = `floor(${microseconds} / ${DAY_US})`;
  return `timestamp '1970-01-01' + make_interval(days => ${days}::int) + (${microseconds} - ${days} * ${DAY_US})::float8 * interval '1 microsecond'`;
}
