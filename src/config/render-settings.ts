import { Secret } from '../core/secret.ts';
import type {
  HttpSettings,
  KafkaSettings,
  RegistrySettings,
  Settings,
  SnapshotSettings,
  SourceSettings,
  TlsSettings,
} from '../core/settings.ts';
import { formatByteSize } from './byte-size.ts';
import { formatDuration } from './duration.ts';
import { patternSource } from './pattern.ts';

/** The resolved settings under the names of `tailrace.yaml`, as plain JSON. A secret is `[secret]`, a file `[read]`. */
export function renderSettings(settings: Settings): Record<string, unknown> {
  const { checkpoint, http, log } = settings;
  return plain({
    kafka: renderKafka(settings.kafka),
    schema_registry: renderRegistry(settings.schemaRegistry),
    checkpoint:
      checkpoint.store === 'kafka'
        ? { store: 'kafka', topic: checkpoint.topic, interval: formatDuration(checkpoint.intervalMs) }
        : { store: 'file', path: checkpoint.path, interval: formatDuration(checkpoint.intervalMs) },
    delivery: 'at_least_once',
    http: renderHttp(http),
    log: { level: log.level },
    sources: settings.sources.map(renderSource),
  }) as Record<string, unknown>;
}

function renderHttp({ host, port, tls, tokens }: HttpSettings): Record<string, unknown> {
  return {
    host,
    port,
    tls: tls === null ? undefined : { cert_file: '[read]', key_file: '[read]' },
    tokens:
      tokens.length === 0 ? undefined : tokens.map(({ name, role, sha256 }) => ({ name, role, token_sha256: sha256 })),
  };
}

function renderKafka(kafka: KafkaSettings): Record<string, unknown> {
  return {
    brokers: kafka.brokers,
    tls: renderTls(kafka.tls),
    sasl: kafka.sasl ?? undefined,
    compression: kafka.compression,
    max_in_flight_bytes: formatByteSize(kafka.maxInFlightBytes),
    delivery_timeout: formatDuration(kafka.deliveryTimeoutMs),
    request_timeout: formatDuration(kafka.requestTimeoutMs),
    topics: kafka.topics.map((rule) => ({
      match: patternSource(rule.match),
      partitions: rule.partitions,
      replication_factor: rule.replicationFactor,
      config: rule.config,
    })),
  };
}

function renderRegistry(registry: RegistrySettings): Record<string, unknown> {
  return {
    url: registry.urls,
    auth: renderAuth(registry.auth),
    tls: renderTls(registry.tls),
    request_timeout: formatDuration(registry.requestTimeoutMs),
    on_incompatible: registry.onIncompatible,
    subject_naming: registry.subjectNaming,
  };
}

function renderAuth(auth: RegistrySettings['auth']): Record<string, unknown> | undefined {
  if (auth.kind === 'none') return undefined;
  return auth.kind === 'bearer' ? { bearer: auth.token } : { username: auth.username, password: auth.password };
}

function renderTls(tls: TlsSettings | null): Record<string, unknown> | undefined {
  if (tls === null) return undefined;
  const file = (contents: string | Secret | null) => (contents === null ? undefined : '[read]');
  return {
    enabled: true,
    ca_file: file(tls.ca),
    cert_file: file(tls.cert),
    key_file: file(tls.key),
    verify_hostname: tls.verifyHostname,
  };
}

function renderSource(source: SourceSettings): Record<string, unknown> {
  const { columns } = source;
  const matched = (rule: { match: RegExp }) => ({ ...rule, match: patternSource(rule.match) });
  return {
    name: source.name,
    type: source.type,
    ...renderDatabase(source.connector),
    topic_prefix: source.topicPrefix,
    tables: { include: source.tables.include.map(patternSource), exclude: source.tables.exclude.map(patternSource) },
    columns: {
      exclude: columns.exclude.map(patternSource),
      mask: columns.mask.map(matched),
      hash: columns.hash.map(matched),
      truncate: columns.truncate.map(matched),
      propagate_source_type: columns.propagateSourceType.map(patternSource),
    },
    message_key: source.messageKeys.map((rule) => ({ table: patternSource(rule.table), columns: rule.columns })),
    snapshot: renderSnapshot(source.snapshot),
    signals: { table: source.signals.table ?? undefined, topic: source.signals.topic ?? undefined },
    notifications: { topic: source.notifications.topic ?? undefined },
    heartbeat: { interval: formatDuration(source.heartbeatIntervalMs), topic: source.heartbeatTopic },
    extended_headers: source.extendedHeaders,
    tombstones_on_delete: source.tombstonesOnDelete,
    transaction_metadata: source.transactionMetadata,
    skipped_operations: [...source.skippedOperations],
    on_poison: source.onPoison,
    schema_name_adjustment: source.schemaNameAdjustment,
    field_name_adjustment: source.fieldNameAdjustment,
    unavailable_value_placeholder: source.unavailablePlaceholder,
  };
}

function renderSnapshot({
  mode,
  blocking,
  deletePass,
  chunkRows,
  parallelism,
  where,
}: SnapshotSettings): Record<string, unknown> {
  const filters = where.map(({ table, filter }) => ({ table: patternSource(table), filter }));
  return { mode, blocking, delete_pass: deletePass, chunk_rows: chunkRows, parallelism, where: filters };
}

/** Connectors take a duration as `<name>_ms`; the file has it with a unit. */
function renderDatabase(connector: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(connector).map(([name, value]) =>
      name.endsWith('_ms') && typeof value === 'number'
        ? [name.slice(0, -'_ms'.length), formatDuration(value)]
        : [name, value],
    ),
  );
}

/** Through JSON, so that a Secret is its placeholder and what is undefined is gone. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, item) => (item instanceof Secret ? item.toJSON() : item)));
}
