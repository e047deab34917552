import type { Problem } from './problem.ts';

export interface ChannelSettings {
  readonly settings: readonly { readonly setting: string; readonly value: string; readonly property: string }[];
  readonly problems: readonly Problem[];
}

/** The properties of signals and notifications that only together say what is meant. */
export const CHANNEL_PROPERTIES = [
  'signal.data.collection',
  'signal.enabled.channels',
  'signal.kafka.topic',
  'notification.enabled.channels',
  'notification.sink.topic.name',
] as const;

/** Debezium reads the signal table unless told otherwise. */
const DEFAULT_SIGNAL_CHANNELS = 'source';

/**
 * A channel of Debezium is on where its list names it, whatever the channel's own properties say; here it is on where its
 * table or topic is set.
 */
export function channelSettings(properties: ReadonlyMap<string, string>): ChannelSettings {
  const problems: Problem[] = [];
  const settings: ChannelSettings['settings'][number][] = [];
  const put = (setting: string, value: string, property: string) => settings.push({ setting, value, property });

  const given = properties.get('signal.enabled.channels');
  const channels = channelsOf(given ?? DEFAULT_SIGNAL_CHANNELS);
  problems.push(...unknownChannels('signal.enabled.channels', channels, ['source', 'kafka']));
  const table = properties.get('signal.data.collection');
  // Where only Kafka brings signals Debezium needs the table for its watermarks, of which there are none here.
  if (table !== undefined && channels.includes('source')) put('signals.table', table, 'signal.data.collection');
  const topic = properties.get('signal.kafka.topic');
  if (channels.includes('kafka')) {
    const byDefault = `${properties.get('topic.prefix') ?? ''}-signal`;
    put('signals.topic', topic ?? byDefault, topic === undefined ? 'signal.enabled.channels' : 'signal.kafka.topic');
  } else if (topic !== undefined) {
    problems.push(withoutChannel('signal.kafka.topic', 'signal.enabled.channels', 'kafka'));
  }

  const told = channelsOf(properties.get('notification.enabled.channels') ?? '');
  problems.push(...unknownChannels('notification.enabled.channels', told, ['sink']));
  const sink = properties.get('notification.sink.topic.name');
  if (told.includes('sink')) {
    if (sink !== undefined) put('notifications.topic', sink, 'notification.sink.topic.name');
    else {
      problems.push({
        path: ['debezium', 'notification.enabled.channels'],
        message: 'names sink, which has no topic',
        remedy: 'Set notification.sink.topic.name.',
      });
    }
  } else if (sink !== undefined) {
    problems.push(withoutChannel('notification.sink.topic.name', 'notification.enabled.channels', 'sink'));
  }
  return { settings, problems };
}

function channelsOf(text: string): string[] {
  return text
    .split(',')
    .map((channel) => channel.trim().toLowerCase())
    .filter((channel) => channel !== '');
}

function unknownChannels(property: string, channels: readonly string[], known: readonly string[]): Problem[] {
  return channels
    .filter((channel) => !known.includes(channel))
    .map((channel) => ({
      path: ['debezium', property],
      message: `names ${channel}, a channel without counterpart`,
      remedy: `Leave it out; ${known.join(' and ')} ${known.length === 1 ? 'is' : 'are'} known here.`,
    }));
}

function withoutChannel(property: string, list: string, channel: string): Problem {
  return {
    path: ['debezium', property],
    message: 'has no effect',
    remedy: `Remove it, or add ${channel} to ${list}.`,
  };
}
