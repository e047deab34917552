import type { RegistrySettings } from '../core/settings.ts';

/** The registry subject of a topic's key or value schema, by Confluent's three naming strategies. */
export function subjectName(
  naming: RegistrySettings['subjectNaming'],
  topic: string,
  part: 'key' | 'value',
  recordName: string,
): string {
  switch (naming) {
    case 'topic_name':
      return `${topic}-${part}`;
    case 'record_name':
      return recordName;
    case 'topic_record_name':
      return `${topic}-${recordName}`;
  }
}
