import type { RecordEncoder, TableEncoder, TableShape } from '../core/encoder.ts';
import type { Metrics } from '../core/metrics.ts';
import type { SourceSettings } from '../core/settings.ts';
import type { Sink, SinkTopic } from '../core/sink.ts';
import type { SourceBlock } from '../core/source-block.ts';
import { qualifiedName, type TableVersion } from '../core/table.ts';
import { shapeTable } from './table-shape.ts';
import type { TopicNames } from './topic-names.ts';

/** Everything that publishing a row of one table version needs, looked up once. */
export interface TablePlan {
  readonly version: TableVersion;
  /** `schema.table`, Debezium's data collection. */
  readonly table: string;
  readonly shape: TableShape;
  readonly encoder: TableEncoder;
  readonly topic: SinkTopic;
  readonly counts: Readonly<Record<'c' | 'u' | 'd' | 't' | 'r', { add(value: number): void }>>;
}

export interface TablePlanner {
  /** Resolves once the table's schemas have ids and its topic exists. */
  plan(version: TableVersion, signal: AbortSignal): Promise<TablePlan>;
}

export function tablePlanner(dependencies: {
  readonly settings: SourceSettings;
  readonly names: TopicNames;
  readonly encoder: RecordEncoder;
  readonly sink: Sink;
  readonly sourceBlock: SourceBlock;
  readonly metrics: Metrics;
}): TablePlanner {
  const { settings, names, encoder, sink, sourceBlock, metrics } = dependencies;
  const changes = metrics.counter('tailrace_changes_total');
  return {
    async plan(version, signal) {
      const table = qualifiedName(version.id);
      const shape = shapeTable(version, settings, names.data(version.id));
      const tableEncoder = await encoder.prepareTable(shape, sourceBlock, signal);
      const topic = await sink.topic(shape.topic, signal);
      const count = (op: string) => changes.bind({ source: settings.name, table, op });
      return {
        version,
        table,
        shape,
        encoder: tableEncoder,
        topic,
        counts: { c: count('c'), u: count('u'), d: count('d'), t: count('t'), r: count('r') },
      };
    },
  };
}
