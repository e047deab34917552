import { FatalError } from '../core/errors.ts';
import { headerOf } from '../kafka/log-batches.ts';
import type { TopicLog } from '../kafka/topic-log.ts';
import { UNAVAILABLE_COLUMNS_HEADER } from '../pipeline/record-headers.ts';
import type { TopicRecord, TopicSource } from '../verify/topic-source.ts';

/** The topics of a cluster, as they are compared with tables. */
export function topicSource(log: TopicLog): TopicSource {
  return {
    describe: (topic, signal) => log.describe(topic, signal),
    ends: (topic, signal) => log.ends(topic, signal),
    read: (topic, partition, from, to, signal) => log.read(topic, partition, from, to, signal),
    recordAt: (topic, partition, offset, signal) => log.recordAt(topic, partition, offset, signal),
    unavailableColumns,
  };
}

function unavailableColumns({ headers, offset }: TopicRecord): readonly string[] {
  const damaged = (why: string): FatalError =>
    new FatalError(`the headers of the record at offset ${offset} are damaged: ${why}`, {
      code: 'KAFKA_RECORD_DAMAGED',
      remedy: 'Look at the disks of the broker and at who writes to the topic.',
    });
  const value = headers === null ? null : headerOf(headers, UNAVAILABLE_COLUMNS_HEADER, damaged);
  if (value === null) return [];
  const names: unknown = JSON.parse(value.toString('utf8'));
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === 'string') : [];
}
