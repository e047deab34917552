import {
  ConfigurationError,
  FatalError,
  OwnershipLostError,
  type TailraceError,
  TransientError,
} from '../core/errors.ts';

/**
 * What to do about an error code of the broker:
 * - `retriable`: the same request may succeed later; `moved`: likewise, after fresh metadata;
 * - `duplicate`: the batch is in the log already, a success; `out-of-order`: a batch of ours before it is missing;
 * - `too-large`: above `max.message.bytes`;
 * - `fenced`: another producer took over our transactional id;
 * - `producer-lost`: the broker no longer accepts this producer id, a new one must start from the checkpoint;
 * - `clock`: the times of our clock and the broker's are too far apart;
 * - `authorization` and `configuration`: the operator has to change something; `fatal`: we broke the protocol.
 */
export type KafkaErrorKind =
  | 'retriable'
  | 'moved'
  | 'duplicate'
  | 'out-of-order'
  | 'too-large'
  | 'fenced'
  | 'producer-lost'
  | 'clock'
  | 'authorization'
  | 'configuration'
  | 'fatal';

/** Codes that something here asks for by name; https://kafka.apache.org/protocol#protocol_error_codes. */
export const KafkaCode = {
  none: 0,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  topicAuthorizationFailed: 29,
  clusterAuthorizationFailed: 31,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  outOfOrderSequenceNumber: 45,
  duplicateSequenceNumber: 46,
  concurrentTransactions: 51,
} as const;

/** A partition that a response does not mention; no code of Kafka's own. */
export const MISSING_IN_RESPONSE = -1000;

const CODES = new Map<number, readonly [name: string, kind: KafkaErrorKind]>([
  [MISSING_IN_RESPONSE, ['MISSING_IN_RESPONSE', 'moved']],
  [-1, ['UNKNOWN_SERVER_ERROR', 'retriable']],
  [1, ['OFFSET_OUT_OF_RANGE', 'fatal']],
  [2, ['CORRUPT_MESSAGE', 'retriable']],
  [3, ['UNKNOWN_TOPIC_OR_PARTITION', 'moved']],
  [5, ['LEADER_NOT_AVAILABLE', 'moved']],
  [6, ['NOT_LEADER_OR_FOLLOWER', 'moved']],
  [7, ['REQUEST_TIMED_OUT', 'retriable']],
  [8, ['BROKER_NOT_AVAILABLE', 'moved']],
  [9, ['REPLICA_NOT_AVAILABLE', 'moved']],
  [10, ['MESSAGE_TOO_LARGE', 'too-large']],
  [13, ['NETWORK_EXCEPTION', 'moved']],
  [14, ['COORDINATOR_LOAD_IN_PROGRESS', 'retriable']],
  [15, ['COORDINATOR_NOT_AVAILABLE', 'retriable']],
  [16, ['NOT_COORDINATOR', 'moved']],
  [17, ['INVALID_TOPIC_EXCEPTION', 'configuration']],
  [18, ['RECORD_LIST_TOO_LARGE', 'too-large']],
  [19, ['NOT_ENOUGH_REPLICAS', 'retriable']],
  [20, ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retriable']],
  [21, ['INVALID_REQUIRED_ACKS', 'fatal']],
  [29, ['TOPIC_AUTHORIZATION_FAILED', 'authorization']],
  [30, ['GROUP_AUTHORIZATION_FAILED', 'authorization']],
  [31, ['CLUSTER_AUTHORIZATION_FAILED', 'authorization']],
  [32, ['INVALID_TIMESTAMP', 'clock']],
  [33, ['UNSUPPORTED_SASL_MECHANISM', 'configuration']],
  [34, ['ILLEGAL_SASL_STATE', 'configuration']],
  [35, ['UNSUPPORTED_VERSION', 'configuration']],
  [36, ['TOPIC_ALREADY_EXISTS', 'configuration']],
  [37, ['INVALID_PARTITIONS', 'configuration']],
  [38, ['INVALID_REPLICATION_FACTOR', 'configuration']],
  [39, ['INVALID_REPLICA_ASSIGNMENT', 'configuration']],
  [40, ['INVALID_CONFIG', 'configuration']],
  [41, ['NOT_CONTROLLER', 'moved']],
  [42, ['INVALID_REQUEST', 'fatal']],
  [43, ['UNSUPPORTED_FOR_MESSAGE_FORMAT', 'configuration']],
  [44, ['POLICY_VIOLATION', 'configuration']],
  [45, ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'out-of-order']],
  [46, ['DUPLICATE_SEQUENCE_NUMBER', 'duplicate']],
  [47, ['INVALID_PRODUCER_EPOCH', 'fenced']],
  [48, ['INVALID_TXN_STATE', 'fatal']],
  [49, ['INVALID_PRODUCER_ID_MAPPING', 'producer-lost']],
  [50, ['INVALID_TRANSACTION_TIMEOUT', 'configuration']],
  [51, ['CONCURRENT_TRANSACTIONS', 'retriable']],
  [52, ['TRANSACTION_COORDINATOR_FENCED', 'producer-lost']],
  [53, ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'authorization']],
  [54, ['SECURITY_DISABLED', 'configuration']],
  [55, ['OPERATION_NOT_ATTEMPTED', 'retriable']],
  [56, ['KAFKA_STORAGE_ERROR', 'moved']],
  [58, ['SASL_AUTHENTICATION_FAILED', 'authorization']],
  [59, ['UNKNOWN_PRODUCER_ID', 'producer-lost']],
  [72, ['LISTENER_NOT_FOUND', 'moved']],
  [74, ['FENCED_LEADER_EPOCH', 'moved']],
  [75, ['UNKNOWN_LEADER_EPOCH', 'moved']],
  [76, ['UNSUPPORTED_COMPRESSION_TYPE', 'configuration']],
  [78, ['OFFSET_NOT_AVAILABLE', 'retriable']],
  [80, ['PREFERRED_LEADER_NOT_AVAILABLE', 'moved']],
  [87, ['INVALID_RECORD', 'fatal']],
  [89, ['THROTTLING_QUOTA_EXCEEDED', 'retriable']],
  [90, ['PRODUCER_FENCED', 'fenced']],
  [100, ['UNKNOWN_TOPIC_ID', 'moved']],
  [103, ['INCONSISTENT_TOPIC_ID', 'moved']],
  [120, ['TRANSACTION_ABORTABLE', 'producer-lost']],
]);

export function kafkaErrorName(code: number): string {
  return CODES.get(code)?.[0] ?? `KAFKA_ERROR_${code}`;
}

/** An unknown code is `fatal`: guessing that it may be repeated could hide a loss. */
export function kafkaErrorKind(code: number): KafkaErrorKind {
  return CODES.get(code)?.[1] ?? 'fatal';
}

/** True where the same request may be sent again as it is. */
export function isRetriable(code: number): boolean {
  const kind = kafkaErrorKind(code);
  return kind === 'retriable' || kind === 'moved';
}

/**
 * The error of a broker's answer as the supervisor understands it.
 * @param doing what failed and on what, e.g. `producing to topic shop.public.orders, partition 3`
 */
export function kafkaError(code: number, doing: string, detail: string | null, source: string | null): TailraceError {
  const name = kafkaErrorName(code);
  const message = `Kafka answered ${name} (${code}) to ${doing}${detail === null ? '' : `: ${detail}`}`;
  const context = { code: `KAFKA_${name}`, ...(source === null ? {} : { source }) };
  switch (kafkaErrorKind(code)) {
    case 'authorization':
      return new ConfigurationError(message, {
        ...context,
        remedy: 'Grant the daemon’s Kafka user the missing right (docs/security.md), or correct kafka.sasl.',
      });
    case 'configuration':
      return new ConfigurationError(message, {
        ...context,
        remedy:
          'Correct the setting that the broker refuses (kafka.topics, kafka.compression, topic name) or the broker.',
      });
    case 'fenced':
      return new OwnershipLostError(message, {
        ...context,
        remedy: 'Another daemon runs this source with the same checkpoint; stop one of the two.',
      });
    case 'too-large':
      return new ConfigurationError(message, {
        ...context,
        remedy: 'Raise max.message.bytes of the topic, and let the daemon read it (DescribeConfigs on the topic).',
      });
    case 'clock':
      return new TransientError(message, {
        ...context,
        remedy:
          'Set the clock of this machine, of the database or of the brokers right: a record must not be stamped more than ' +
          'message.timestamp.after.max.ms ahead of the broker. The source then goes on by itself.',
      });
    case 'fatal':
      return new FatalError(message, {
        ...context,
        remedy: 'This must not happen: report it with the version of the broker.',
      });
    default:
      return new TransientError(message, {
        ...context,
        remedy: 'The source starts again from its checkpoint; if this repeats, look at the health of the brokers.',
      });
  }
}
