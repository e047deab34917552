import { HASH_ALGORITHMS } from './columns.ts';
import { ignoringCase, splitPatterns } from './debezium-patterns.ts';
import { CHANNEL_PROPERTIES } from './debezium-signals.ts';
import { CAPTURE_PROPERTIES } from './debezium-tables.ts';

/** What one property becomes: settings by their dotted path, or a complaint. A list is appended to what is there. */
export type Translation =
  | { readonly settings: Readonly<Record<string, unknown>> }
  | { readonly problem: string; readonly remedy: string };

type Translate = (text: string) => Translation;

const to =
  (setting: string): Translate =>
  (text) => ({ settings: { [setting]: text } });

const NOTHING: Translation = { settings: {} };

/** Accepted with the values that say what is always so here, in lower case. */
const always =
  (values: readonly string[], remedy = 'Remove it.'): Translate =>
  (text) =>
    values.includes(text.toLowerCase()) ? NOTHING : { problem: `can only be ${values.join(' or ')} here`, remedy };

const notBuilt = (): Translation => ({ problem: 'has no counterpart that is built yet', remedy: 'Remove it.' });

const elsewhere =
  (remedy: string): Translate =>
  () => ({ problem: 'is not a setting of a source here', remedy });

const CONNECTORS: Readonly<Record<string, string>> = {
  'io.debezium.connector.postgresql.PostgresConnector': 'postgres',
  'io.debezium.connector.mysql.MySqlConnector': 'mysql',
  'io.debezium.connector.mariadb.MariaDbConnector': 'mariadb',
};

const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** Values of MySQL's and MariaDB's `database.ssl.mode`. */
const MYSQL_SSL_MODES: Readonly<Record<string, string>> = {
  disabled: 'disable',
  disable: 'disable',
  preferred: 'prefer',
  required: 'require',
  trust: 'require',
  verify_ca: 'verify-ca',
  'verify-ca': 'verify-ca',
  verify_identity: 'verify-full',
  'verify-full': 'verify-full',
};

function connectorClass(text: string): Translation {
  const type = CONNECTORS[text];
  if (type !== undefined) return { settings: { type } };
  return {
    problem: 'is not a connector that has a counterpart',
    remedy: `Known: ${Object.keys(CONNECTORS).join(', ')}.`,
  };
}

function sslMode(text: string): Translation {
  const mode = text.toLowerCase();
  if (SSL_MODES.includes(mode)) return { settings: { 'tls.mode': mode } };
  return { problem: 'is not a mode known here', remedy: `Set it to one of ${SSL_MODES.join(', ')}.` };
}

function mysqlSslMode(text: string): Translation {
  const mode = MYSQL_SSL_MODES[text.toLowerCase()];
  if (mode !== undefined) return { settings: { 'tls.mode': mode } };
  return {
    problem: 'is not a mode known here',
    remedy: `Set it to one of ${Object.keys(MYSQL_SSL_MODES).join(', ')}.`,
  };
}

/** Debezium's default, 0, publishes no heartbeats; the daemon keeps an idle slot moving without them. */
function heartbeatInterval(text: string): Translation {
  if (!/^\d+$/.test(text)) return { problem: 'is not a number of milliseconds', remedy: 'Set it to a whole number.' };
  if (Number(text) === 0) return { settings: { 'heartbeat.topic': false } };
  return { settings: { 'heartbeat.interval': `${text}ms`, 'heartbeat.topic': true } };
}

function skippedOperations(text: string): Translation {
  const operations = text.split(',').map((operation) => operation.trim());
  return { settings: { skipped_operations: operations.length === 1 && operations[0] === 'none' ? [] : operations } };
}

/** `schema.table:column,column;…`, the table being a regular expression. */
function messageKeys(text: string): Translation {
  const rules = [];
  for (const rule of text.split(';').filter((part) => part.trim() !== '')) {
    const colon = rule.lastIndexOf(':');
    const columns = rule.slice(colon + 1).split(',');
    if (colon < 1 || columns.some((column) => column.trim() === '')) {
      return { problem: 'is not a list of table:column,column;…', remedy: 'Write schema.table:column for each table.' };
    }
    rules.push({ table: ignoringCase(rule.slice(0, colon).trim()), columns: columns.map((column) => column.trim()) });
  }
  return { settings: { message_key: rules } };
}

function failureHandling(text: string): Translation {
  if (text === 'fail') return { settings: { on_poison: 'fail' } };
  return { problem: 'would lose changes silently', remedy: 'Remove it, and set on_poison: dead_letter instead.' };
}

function unknownTypes(text: string): Translation {
  if (text !== 'true' && text !== 'false')
    return { problem: 'is neither true nor false', remedy: 'Set it to one of them.' };
  return { settings: { 'types.unknown': text === 'true' ? 'include' : 'skip' } };
}

const DIRECT: Readonly<Record<string, string>> = {
  name: 'name',
  'topic.prefix': 'topic_prefix',
  'database.hostname': 'host',
  'database.port': 'port',
  'database.user': 'user',
  'database.password': 'password',
  'database.dbname': 'database',
  'database.sslcert': 'tls.cert_file',
  'database.sslkey': 'tls.key_file',
  'database.sslrootcert': 'tls.ca_file',
  'slot.name': 'slot.name',
  'slot.failover': 'slot.failover',
  'publication.name': 'slot.publication',
  'publication.autocreate.mode': 'slot.autocreate',
  'decimal.handling.mode': 'types.decimal',
  'time.precision.mode': 'types.time',
  'binary.handling.mode': 'types.binary',
  'interval.handling.mode': 'types.interval',
  'hstore.handling.mode': 'types.hstore',
  'money.fraction.digits': 'types.money_fraction_digits',
  'bigint.unsigned.handling.mode': 'types.bigint_unsigned',
  'publish.via.partition.root': 'publish_via_partition_root',
  'snapshot.mode': 'snapshot.mode',
  'snapshot.max.threads': 'snapshot.parallelism',
  'incremental.snapshot.chunk.size': 'snapshot.chunk_rows',
  'provide.transaction.metadata': 'transaction_metadata',
  'tombstones.on.delete': 'tombstones_on_delete',
  'unavailable.value.placeholder': 'unavailable_value_placeholder',
  'schema.name.adjustment.mode': 'schema_name_adjustment',
  'field.name.adjustment.mode': 'field_name_adjustment',
  'extended.headers.enabled': 'extended_headers',
  'database.server.id': 'server_id',
  'include.schema.changes': 'include_schema_changes',
  'include.query': 'include_query',
  'include.schema.comments': 'include_schema_comments',
};

const QUEUE = 'Remove it: memory is bounded by kafka.max_in_flight_bytes.';
const RESTART = 'Remove it: a source that fails for a reason that passes is started again by itself.';

const SIGNALS = 'Remove it: signals are read as they come, from kafka.brokers and without a consumer group.';

/** Every property that is known by its whole name. */
export const PROPERTIES: ReadonlyMap<string, Translate> = new Map<string, Translate>([
  ...Object.entries(DIRECT).map(([property, setting]): [string, Translate] => [property, to(setting)]),
  // Read together by `tablePatterns`.
  ...CAPTURE_PROPERTIES.map((property): [string, Translate] => [property, () => NOTHING]),
  // Read together by `channelSettings`.
  ...CHANNEL_PROPERTIES.map((property): [string, Translate] => [property, () => NOTHING]),
  ['connector.class', connectorClass],
  ['database.sslmode', sslMode],
  ['database.ssl.mode', mysqlSslMode],
  ['heartbeat.interval.ms', heartbeatInterval],
  ['skipped.operations', skippedOperations],
  ['message.key.columns', messageKeys],
  ['event.processing.failure.handling.mode', failureHandling],
  ['include.unknown.datatypes', unknownTypes],
  [
    'column.propagate.source.type',
    (text) => ({ settings: { 'columns.propagate_source_type': splitPatterns(text).map(ignoringCase) } }),
  ],
  ['tasks.max', always(['1'])],
  // Two-digit years are none in a log of rows.
  ['enable.time.adjuster', always(['true', 'false'])],
  // No snapshot takes locks.
  ['snapshot.locking.mode', always(['none'])],
  ['plugin.name', always(['pgoutput'], 'Set it to pgoutput, which every PostgreSQL since 10 has, or remove it.')],
  ['slot.drop.on.stop', always(['false'], 'Remove it: stopping never drops the slot.')],
  ['topic.delimiter', always(['.'])],
  ['topic.transaction', always(['transaction'])],
  ['topic.heartbeat.prefix', always(['__debezium-heartbeat'])],
  ['topic.naming.strategy', always(['io.debezium.schema.schematopicnamingstrategy'])],
  ['errors.tolerance', always(['none'], 'Remove it, and set on_poison: dead_letter for a dead letter topic.')],
  ['errors.log.enable', always(['true'], 'Remove it: errors are always logged.')],
  ['errors.log.include.messages', always(['false'], 'Remove it: logs never hold row values.')],
  ['flush.lsn.source', always(['true'], 'Remove it: the slot is always confirmed, after the checkpoint.')],
  // Column changes are always seen: they are in the log before the first row that has them.
  ['schema.refresh.mode', always(['columns_diff', 'columns_diff_exclude_unchanged_toast'])],
  ['exactly.once.support', notBuilt],
  ['read.only', notBuilt],
  ['signal.kafka.bootstrap.servers', elsewhere(SIGNALS)],
  ['signal.kafka.groupId', elsewhere(SIGNALS)],
  ['signal.kafka.poll.timeout.ms', elsewhere(SIGNALS)],
  ['signal.poll.interval.ms', elsewhere(SIGNALS)],
  ['max.queue.size', elsewhere(QUEUE)],
  ['max.queue.size.in.bytes', elsewhere(QUEUE)],
  ['max.batch.size', elsewhere(QUEUE)],
  ['poll.interval.ms', elsewhere('Remove it: changes are read as they arrive.')],
  ['errors.max.retries', elsewhere(RESTART)],
  ['retriable.restart.connector.wait.ms', elsewhere(RESTART)],
  ['slot.max.retries', elsewhere(RESTART)],
  ['slot.retry.delay.ms', elsewhere(RESTART)],
]);

/** Properties whose names hold a part of their meaning. `parts` are the groups of the form. */
export const PATTERN_PROPERTIES: readonly (readonly [
  form: RegExp,
  read: (parts: readonly string[], text: string) => Translation,
])[] = [
  [/^column\.mask\.with\.(\d{1,6})\.chars$/, ([length], text) => mask(Number(length), text)],
  [/^column\.truncate\.to\.(\d+)\.chars$/, ([length], text) => truncate(Number(length), text)],
  [/^column\.mask\.hash\.v2\.([^.]+)\.with\.salt\.(.+)$/, ([name, salt], text) => hash(name!, salt!, text)],
  [
    /^column\.mask\.hash\.([^.]+)\.with\.salt\.(.+)$/,
    () => ({
      problem: 'hashes the Java serialisation of a value, which is not built',
      remedy: 'Use column.mask.hash.v2.…; its hashes differ from those of this property.',
    }),
  ],
  [
    /^schema\.history\./,
    elsewhereOf('Remove it: there is no schema history; what the log lacks is in the checkpoint.'),
  ],
  [/^(gtid\.source|connect\.keep|table\.ignore|inconsistent\.schema|use\.nongraceful)\./, notBuilt],
  [/^(key|value|header)\.converter(\.|$)/, ([, rest], text) => converter(rest === '.', text)],
  [/^topic\.creation\./, elsewhereOf('Remove it, and set kafka.topics.')],
  [/^(transforms|predicates)(\.|$)/, elsewhereOf('Remove it: there are no transformations here.')],
  [/^(signal|notification|snapshot|incremental\.snapshot|replica\.identity|heartbeat)\./, notBuilt],
];

function elsewhereOf(remedy: string): () => Translation {
  const translate = elsewhere(remedy);
  return () => translate('');
}

function mask(length: number, text: string): Translation {
  const rules = splitPatterns(text).map((column) => ({ match: ignoringCase(column), with: '*'.repeat(length) }));
  return { settings: { 'columns.mask': rules } };
}

function truncate(length: number, text: string): Translation {
  return {
    settings: { 'columns.truncate': splitPatterns(text).map((column) => ({ match: ignoringCase(column), length })) },
  };
}

function hash(name: string, salt: string, text: string): Translation {
  // Java writes SHA-256 and SHA3-256, Node sha256 and sha3-256.
  const algorithm = name.toLowerCase().replace(/^sha-/, 'sha');
  if (!(HASH_ALGORITHMS as readonly string[]).includes(algorithm)) {
    return { problem: 'names a hash function that is not known', remedy: `Use one of ${HASH_ALGORITHMS.join(', ')}.` };
  }
  const rules = splitPatterns(text).map((column) => ({ match: ignoringCase(column), algorithm, salt }));
  return { settings: { 'columns.hash': rules } };
}

function converter(isOption: boolean, text: string): Translation {
  if (isOption) {
    return { problem: 'is not a setting of a source here', remedy: 'Remove it, and set schema_registry.' };
  }
  if (text === 'io.confluent.connect.avro.AvroConverter') return NOTHING;
  return { problem: 'is not the Avro converter', remedy: 'Remove it: records are Avro with a schema registry.' };
}
