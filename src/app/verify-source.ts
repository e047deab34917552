import { RegistryClient } from '../avro/registry-client.ts';
import { RegistryRefusal } from '../avro/registry-errors.ts';
import { RowEncoder } from '../avro/row-encoder.ts';
import { CHECKPOINT_KEY, decodeCheckpoint } from '../checkpoint/checkpoint-codec.ts';
import type { VerifyOptions } from '../cli/application.ts';
import { writtenPattern } from '../cli/table-pattern.ts';
import type { ConnectorDependencies } from '../core/connector.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Settings, SourceSettings } from '../core/settings.ts';
import type { SnapshotReader, SnapshotTable } from '../core/snapshot.ts';
import type { StateStore } from '../core/source-state.ts';
import { qualifiedName } from '../core/table.ts';
import { TopicLog } from '../kafka/topic-log.ts';
import { PrometheusMetrics } from '../observability/prometheus-metrics.ts';
import { SystemClock } from '../observability/system-clock.ts';
import { filterOf } from '../pipeline/snapshot/snapshot-due.ts';
import { shapeTable } from '../pipeline/table-shape.ts';
import { topicNames } from '../pipeline/topic-names.ts';
import { awaitPublished } from '../verify/await-published.ts';
import type { TableReport, VerifyReport } from '../verify/report.ts';
import { toleratedTexts } from '../verify/tolerated-texts.ts';
import type { PublishedPosition, VerifyDependencies } from '../verify/verify-dependencies.ts';
import { verifyTable } from '../verify/verify-table.ts';
import { type ConfiguredConnector, loadConnector } from './load-connector.ts';
import { noticeLogger } from './notice-logger.ts';
import { openStateStore } from './open-state-store.ts';
import { explainRefusal } from './registry-refusal.ts';
import { rememberedSchemas } from './remembered-schemas.ts';
import { topicSource } from './topic-source.ts';

const LISTED_KEYS = 1_000;
/** Longer than a change takes from its commit to its topic, as long as the daemon keeps up. */
const PATIENCE_MS = 5_000;
const PATIENCE_AGAIN_MS = 2_000;
/** Nobody publishes, or somebody else does: there are no news to wait for but those of the topic itself. */
const AT_REST = { patienceMs: 2_000, patienceAgainMs: 500 };

/** Compares the topics of a source with its tables. Writes to neither; a daemon may run or not. */
export async function verifySource(
  settings: Settings,
  sourceName: string,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const source = settings.sources.find(({ name }) => name === sourceName)!;
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const clock = new SystemClock();
  await using registry = new RegistryClient(settings.schemaRegistry, metrics);
  await using log = new TopicLog(settings.kafka, clock);
  const configured = await loadConnector(source);
  const logger = noticeLogger(options.notice);
  await using reader = await openReader(source, configured, { logger, metrics, clock }, options.signal);
  const store = openStateStore(settings);
  const names = topicNames(source.topicPrefix);
  const texts = toleratedTexts(options.tolerate);
  const dependencies: VerifyDependencies = {
    ...options,
    reader,
    topics: topicSource(log),
    schemaById: rememberedSchemas((id) => registry.schemaById(id, options.signal)),
    clock,
    texts,
    publishedUpTo: (signal) => publishedUpTo(store, sourceName, configured, signal),
    topicOf: (table) => names.data(table),
    filterOf: (table) => filterOf(source.snapshot, table),
    createEncoder: (version) =>
      new RowEncoder(shapeTable(version, source, names.data(version.id)), {
        schemaNames: source.schemaNameAdjustment,
        fieldNames: source.fieldNameAdjustment,
        placeholder: source.unavailablePlaceholder,
        texts,
      }),
    listedKeys: LISTED_KEYS,
    patienceMs: PATIENCE_MS,
    patienceAgainMs: PATIENCE_AGAIN_MS,
  };
  const tables: TableReport[] = [];
  try {
    const wanted = await wantedTables(reader, source, options);
    const isMoving = await awaitPublished(wanted[0]!, dependencies, options.signal);
    if (!isMoving) options.notice('No checkpoint of the source moves: what is not published by now counts as missing.');
    for (const table of wanted) {
      const report = await verifyTable(
        table,
        isMoving ? dependencies : { ...dependencies, ...AT_REST },
        options.signal,
      );
      tables.push(source.skippedOperations.size > 0 ? withSkipped(report, source) : report);
    }
  } catch (error) {
    throw error instanceof RegistryRefusal ? explainRefusal(error, settings.schemaRegistry) : error;
  } finally {
    await store.close();
  }
  return { source: sourceName, equal: tables.every(({ verdict }) => verdict === 'equal'), tables };
}

async function openReader(
  source: SourceSettings,
  { connector, config }: ConfiguredConnector,
  dependencies: ConnectorDependencies,
  signal: AbortSignal,
): Promise<SnapshotReader<unknown>> {
  if (connector.openSnapshotReader !== undefined) return connector.openSnapshotReader(config, dependencies, signal);
  throw new ConfigurationError(`tables of a source of type ${source.type} cannot be read yet`, {
    code: 'VERIFY_NOT_BUILT',
    remedy: 'Verify a source of another database.',
    source: source.name,
  });
}

/** What the checkpoint says; nothing is claimed. */
async function publishedUpTo(
  store: StateStore,
  sourceName: string,
  { connector }: ConfiguredConnector,
  signal: AbortSignal,
): Promise<PublishedPosition | null> {
  const text = (await store.peek(sourceName, signal))?.get(CHECKPOINT_KEY);
  const position = text === undefined ? null : decodeCheckpoint(text, sourceName).position;
  return position === null ? null : { text: position, position: connector.positions.decode(position) };
}

/** @throws ConfigurationError where a pattern names no captured table: nothing would be compared. */
async function wantedTables(
  reader: SnapshotReader<unknown>,
  source: SourceSettings,
  { tables: patterns, signal }: VerifyOptions,
): Promise<readonly SnapshotTable[]> {
  const captured = await reader.readTables(signal);
  const idle = patterns.find((pattern) => !captured.some(({ id }) => pattern.test(qualifiedName(id))));
  if (captured.length > 0 && idle === undefined) {
    return patterns.length === 0
      ? captured
      : captured.filter(({ id }) => patterns.some((pattern) => pattern.test(qualifiedName(id))));
  }
  const message =
    idle === undefined
      ? `${source.name} captures no table`
      : `no captured table matches --table ${writtenPattern(idle)}`;
  throw new ConfigurationError(message, {
    code: 'VERIFY_NO_TABLE',
    remedy: `Captured tables: ${captured.map(({ id }) => qualifiedName(id)).join(', ') || 'none'}; tables.include of the source decides.`,
    source: source.name,
  });
}

/** What is not published cannot be found in the topics. Truncates are left out by default, and then leave extra keys. */
function withSkipped(report: TableReport, { skippedOperations }: SourceSettings): TableReport {
  const skipped = [...skippedOperations].filter((operation) => 'cud'.includes(operation));
  if (skipped.length === 0) return report;
  const reason = `the configuration leaves out operations of this source (skipped_operations: ${skipped.join(', ')})`;
  return { ...report, verdict: 'incomparable', reason };
}
